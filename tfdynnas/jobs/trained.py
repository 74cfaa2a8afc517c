"""The trained supernet of a run: a single one, or the parts of a few-shot run as one."""

from keras import ops

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.training import callbacks
from tfdynnas.training import checkpoint
from tfdynnas.training import loop
from tfdynnas.training import recipe


def load_supernet(run_dir, config, space):
  """The fully trained supernet of a run, without an optimizer.

  Args:
    run_dir: RunDir.
    config: config.SupernetConfig of the run.
    space: spaces.Space of the run.

  Returns:
    supernet.Supernet, or for a few-shot run supernet.FewShot, which serves the same purposes.

  Raises:
    InputError: Its training has not begun or not ended.
  """
  check_trained(run_dir)
  supernet = recipe.make_network(config, space, dtype=config.precision)
  values = []
  for name, _ in trainings(run_dir):
    path = run_dir.path / name / "checkpoint.npz"
    checkpoint.restore(path, callbacks.weights(supernet), partly=True)
    values.append([ops.convert_to_numpy(v) for v in supernet.trainable_variables])
  few_shot = run_dir.config().get("few_shot")
  if not few_shot:
    return supernet
  parts = spaces.make_parts(space, few_shot["few_shot_decision"], few_shot["few_shot_groups"])
  return supernet_lib.FewShot(supernet, parts, values)


def check_trained(run_dir):
  """Refuses a run whose supernet, or a part of it, is not fully trained.

  Raises:
    InputError: Its training has not begun or not ended.
  """
  for name, identity in trainings(run_dir):
    done, steps = progress(run_dir, name, identity)
    if done != steps:
      part = name.partition("/part_")[2]
      raise errors.InputError(
          f"{f'Part {part} of the' if part else 'The'} supernet of {run_dir.path} must be trained "
          f"to the end. Received: step {done} of {steps}"
      )


def progress(run_dir, name, identity):
  """How far a training of a run is.

  Args:
    run_dir: RunDir.
    name: Folder of the training in the run's folder.
    identity: dict that identifies the training.

  Returns:
    (done, steps): ints; `steps` is "all" before the first checkpoint.

  Raises:
    InputError: The checkpoint is damaged, or of another training.
  """
  record = loop.resumable(run_dir.path / name / "checkpoint.npz", identity)
  if record is None:
    return 0, "all"
  return record["step"], run_dir.read_json(f"{name}/method.json")["steps"]


def trainings(run_dir):
  """The trainings that make the supernet of a run: one, or one per part.

  Args:
    run_dir: RunDir, claimed.

  Returns:
    List of (name, identity): the folder in the run's folder; a dict that identifies the training,
    the run's settings without versions: new versions may resume it.
  """
  stored = run_dir.read_json("config.json")  # As written: its checkpoints record the same.
  described = {part: values for part, values in stored.items() if part != "versions"}
  identity = {
      f"{part}.{key}": value for part, values in described.items() for key, value in values.items()
  }
  if not described.get("few_shot"):
    return [("supernet", identity)]
  count = len(described["few_shot"]["few_shot_groups"].split(";"))
  return [(f"supernet/part_{part}", {**identity, "part": part}) for part in range(count)]
