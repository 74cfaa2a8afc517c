"""The truth of a ranking: accuracies of archs trained on their own, looked up or trained here."""

import numpy as np

from tfdynnas import errors
from tfdynnas.jobs import several
from tfdynnas.training import loop

CLASSES = {"cifar10": 10, "cifar100": 100, "imagenet16_120": 120}  # Of the published tables.


def from_table(table, config, space, indices, dataset):
  """Looks up the accuracy of archs in a table.

  Args:
    table: analysis.Table.
    config: config.TruthConfig.
    space: spaces.Space of the run.
    indices: Sequence of int [archs], indices of the archs in the space; read only once the table
      is known to be of the space, so that they may be all of it.
    dataset: Name of the run's data set; "" for a folder of images.

  Returns:
    (truth, described): float64 [archs], percent, NaN where unknown; JSON-able dict of its source,
    with `chance`, the accuracy of guessing, percent, None if unknown.

  Raises:
    InputError: The table is of another space, or lacks these accuracies.
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
    InputError: The recipe inherits weights.
  """
  if config.inherit:
    raise errors.InputError("The truth is trained from scratch. Received: inherit=True")


def trained(run_dir, config, made, archs, checkpoint_steps=1000, progress=loop.silent):
  """Trains archs on their own, each in a folder `standalone/INDEX`, from which it resumes.

  Args:
    run_dir: RunDir.
    config: config.SubnetConfig, the recipe.
    made: setup.Setup of the run.
    archs: List of archs.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs), steps of all trainings together.

  Returns:
    (truth, described): float64 [archs], percent; JSON-able dict of how the archs were trained,
    with `chance`, the accuracy of guessing, percent.

  Raises:
    InputError: The folder holds trainings by another recipe.
    DivergedError: A loss is no longer a number.
  """
  results = several.train(run_dir, "standalone", config, made, archs, None, checkpoint_steps,
                          progress)
  described = {
      "standalone": len(archs), "part": results[0]["part"], "epochs": config.subnet_epochs,
      "chance": 100 / made.space.skeleton.classes,
  }
  return np.array([100 * result["accuracy"] for result in results]), described
