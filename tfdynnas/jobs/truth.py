"""What archs are worth when each is trained on its own: looked up, or trained."""

import numpy as np

from tfdynnas import errors
from tfdynnas.jobs import subnet as subnet_job
from tfdynnas.training import loop

CLASSES = {"cifar10": 10, "cifar100": 100, "imagenet16_120": 120}  # Of the published tables.


def from_table(table, config, space, indices, dataset):
  """Looks archs up.

  Args:
    table: analysis.Table.
    config: config.TruthConfig.
    space: spaces.Space of the run.
    indices: Sequence of int [archs], places of the archs in the space; not looked at before the
      table is known to be of the space, so that they may be all.
    dataset: Name of the run's data set; "" for a folder of images.

  Returns:
    (truth, described): float64 [archs], percent, NaN where unknown; JSON-able dict of where it is
    from, with `chance`, the accuracy of guessing, percent, None if not known.

  Raises:
    InputError: The table is of another space, or has no such numbers.
  """
  if (table.space, table.size) != (space.name, space.size):
    raise errors.InputError(
        f"{table.name} must be of the run's space, {space.name} with {space.size} archs. "
        f"Received: {table.space} with {table.size}"
    )
  name = config.truth_dataset or dataset
  values = table.accuracy(name, config.truth_split, config.truth_epochs)
  truth = values[np.asarray(indices)].astype(np.float64)
  if name == dataset:
    classes = space.skeleton.classes
  else:
    classes = CLASSES.get(name)
  return truth, {
      "table": table.name, "dataset": name, "split": config.truth_split,
      "epochs": config.truth_epochs, "chance": 100 / classes if classes else None,
  }


def check_recipe(config):
  """Refuses a recipe that inherits weights.

  Args:
    config: config.SubnetConfig.

  Raises:
    InputError: It does.
  """
  if config.inherit:
    raise errors.InputError("The truth is trained from scratch. Received: inherit=True")


def trained(run_dir, config, made, archs, checkpoint_steps=1000, progress=loop.silent):
  """Trains archs on their own, each in a folder `standalone/INDEX` where a killed one goes on.

  Args:
    run_dir: RunDir.
    config: config.SubnetConfig, the recipe.
    made: setup.Setup of the run.
    archs: List of archs.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs), steps of all trainings together.

  Returns:
    (truth, described): as `from_table`.

  Raises:
    InputError: The folder holds trainings by another recipe.
    DivergedError: A loss is no longer a number.
  """
  space, results = made.space, []
  for number, arch in enumerate(archs):
    shown = _Shown(progress, number, len(archs))
    results.append(_trained_one(run_dir, config, made, arch, checkpoint_steps, shown))
  described = {
      "standalone": len(archs), "part": results[0]["part"], "epochs": config.subnet_epochs,
      "chance": 100 / space.skeleton.classes,
  }
  return np.array([100 * result["accuracy"] for result in results]), described


def _trained_one(run_dir, config, made, arch, checkpoint_steps, progress):
  """The result of one training, done now unless it is there."""
  folder = f"standalone/{made.space.index(arch)}"
  settings = {key: value for key, value in config.identity().items() if key != "arch"}
  path = run_dir.path / folder / "result.json"
  if path.exists():
    result = run_dir.read_json(f"{folder}/result.json")
    rule = f"{path} must be of the same training; give another run_dir"
    errors.refuse_other(rule, result.get("settings", {}), settings)
    return result
  _, result = subnet_job.train_arch(
      run_dir, folder, arch, config, made, None, checkpoint_steps, progress
  )
  run_dir.write_json(f"{folder}/result.json", {**result, "settings": settings})
  return result


class _Shown:
  """Progress of one training as part of that of all."""

  def __init__(self, progress, number, count):
    self._progress, self._number, self._count = progress, number, count

  def __call__(self, step, steps, **logs):
    shown = {"arch": self._number + 1, **logs}
    self._progress(self._number * steps + step, self._count * steps, **shown)
