"""Several archs trained on their own, each in its own folder, from which it resumes."""

from tfdynnas.files import identity
from tfdynnas.jobs import subnet as subnet_job
from tfdynnas.training import loop


def train(run_dir, home, config, made, archs, supernet=None, checkpoint_steps=1000,
          progress=loop.silent):
  """Trains archs one after the other, each in a folder HOME/INDEX; finished ones are skipped.

  Args:
    run_dir: RunDir.
    home: Name of the parent of their folders, in the run's folder.
    config: config.SubnetConfig, the recipe; its `arch` is ignored.
    made: setup.Setup of the run.
    archs: List of archs.
    supernet: supernet.Supernet to inherit weights from, or None.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs), steps of all trainings together.

  Returns:
    List of dicts: subnet.train_arch's results, with `settings`, the recipe.

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
  """The result of one training, which is run unless it is finished."""
  folder = f"{home}/{made.space.index(arch)}"
  settings = {key: value for key, value in config.identity().items() if key != "arch"}
  path = run_dir.path / folder / "result.json"
  if path.exists():
    result = run_dir.read_json(f"{folder}/result.json")
    rule = f"{path} must be of the same training; give another run_dir"
    identity.refuse_other(rule, result.get("settings", {}), settings)
    return result
  _, result = subnet_job.train_arch(
      run_dir, folder, arch, config, made, supernet, checkpoint_steps, progress
  )
  result["settings"] = settings
  run_dir.write_json(f"{folder}/result.json", result)
  return result


class _Shown:
  """Progress of one training within that of all."""

  def __init__(self, progress, number, count):
    self._progress, self._number, self._count = progress, number, count

  def __call__(self, step, steps, **logs):
    shown = {"arch": self._number + 1, **logs}
    self._progress(self._number * steps + step, self._count * steps, **shown)
