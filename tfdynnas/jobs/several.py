"""Several archs, each trained on its own in a folder of its own, where a killed one goes on."""

from tfdynnas import errors
from tfdynnas.jobs import subnet as subnet_job
from tfdynnas.training import loop


def train(run_dir, home, config, made, archs, supernet=None, checkpoint_steps=1000,
          progress=loop.silent):
  """Trains archs one after the other, each in a folder HOME/INDEX; what is there is not trained.

  Args:
    run_dir: RunDir.
    home: Name of the folder of their folders, in the run's.
    config: config.SubnetConfig, the recipe, whose `arch` does not count.
    made: setup.Setup of the run.
    archs: List of archs.
    supernet: As for subnet.train_arch.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs), steps of all trainings together.

  Returns:
    List of dicts, as of subnet.train_arch, with `settings`, the recipe.

  Raises:
    InputError: The folder holds trainings by another recipe.
    DivergedError: A loss is no longer a number.
  """
  results = []
  for number, arch in enumerate(archs):
    shown = _Shown(progress, number, len(archs))
    results.append(_trained(run_dir, home, config, made, arch, supernet, checkpoint_steps, shown))
  return results


def _trained(run_dir, home, config, made, arch, supernet, checkpoint_steps, progress):
  """The result of one training, done now unless it is there."""
  folder = f"{home}/{made.space.index(arch)}"
  settings = {key: value for key, value in config.identity().items() if key != "arch"}
  path = run_dir.path / folder / "result.json"
  if path.exists():
    result = run_dir.read_json(f"{folder}/result.json")
    rule = f"{path} must be of the same training; give another run_dir"
    errors.refuse_other(rule, result.get("settings", {}), settings)
    return result
  _, result = subnet_job.train_arch(
      run_dir, folder, arch, config, made, supernet, checkpoint_steps, progress
  )
  result["settings"] = settings
  run_dir.write_json(f"{folder}/result.json", result)
  return result


class _Shown:
  """Progress of one training as part of that of all."""

  def __init__(self, progress, number, count):
    self._progress, self._number, self._count = progress, number, count

  def __call__(self, step, steps, **logs):
    shown = {"arch": self._number + 1, **logs}
    self._progress(self._number * steps + step, self._count * steps, **shown)
