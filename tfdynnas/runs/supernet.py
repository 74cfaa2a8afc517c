"""The first job: train a supernet in a run directory."""

import json

from tfdynnas import errors
from tfdynnas.data import training_feed
from tfdynnas.runs import setup
from tfdynnas.training import backend
from tfdynnas.training import checkpoint
from tfdynnas.training import loop
from tfdynnas.training import recipe


def train_supernet(
    run_dir, data_config, space_config, config, devices, flags="", progress=loop.silent
):
  """Trains a supernet, or goes on with it from its last checkpoint.

  Args:
    run_dir: RunDir.
    data_config: config.DataConfig.
    space_config: config.SpaceConfig.
    config: config.SupernetConfig.
    devices: config.DeviceConfig.
    flags: Text of the flagfile that runs it again.
    progress: Callable (step, steps, **logs).

  Returns:
    (supernet, rows): the trained supernet.Supernet and the rows of the log.

  Raises:
    InputError: The directory is of another run, or a config does not fit.
    DivergedError: The loss is no longer a number.
  """
  strategy, replicas = _strategy(devices, config)
  data = setup.load_data(data_config)
  space = setup.make_space(space_config, data)
  with strategy.scope():
    feed = _feed(data, config)
    steps = config.epochs * feed.steps_per_epoch
    supernet = recipe.make_supernet(config, space, steps, feed.prepare)
    loop.build(supernet, space.skeleton.classes)
    run_dir.claim(_described(data_config, data, space_config, config, replicas), flags)
    run_dir.write_json("supernet/method.json", _method(supernet, space, steps))
    rows = loop.fit(
        supernet, feed.batches, feed.steps_per_epoch, config.epochs, run_dir.path / "supernet",
        _identity(run_dir), devices.checkpoint_steps, progress,
    )
  return supernet, rows


def _described(data_config, data, space_config, config, replicas):
  """What makes the run the one it is."""
  return {
      "data": data_config.as_dict(), "images": _images(data), "space": space_config.as_dict(),
      "supernet": config.as_dict(), "devices": {"replicas": replicas},
  }


def _feed(data, config):
  """Training images, as the config says."""
  return training_feed.TrainingFeed(
      data, data.train, config.batch, config.seed, config.pad, config.flip
  )


def _strategy(devices, config):
  """The strategy that the config says, and its number of replicas."""
  strategy = backend.make_strategy(devices.distribution, devices.devices)
  backend.shorten_first_step()
  if devices.deterministic:
    backend.make_deterministic(config.seed)
  replicas = strategy.num_replicas_in_sync
  if config.batch % replicas:
    raise errors.InputError(f"`batch` must divide by {replicas} devices. Received: {config.batch}")
  return strategy, replicas


def load_supernet(run_dir, config, space):
  """The supernet of a run, trained to its end.

  Args:
    run_dir: RunDir.
    config: config.SupernetConfig of the run.
    space: spaces.CellSpace of the run.

  Returns:
    supernet.Supernet.

  Raises:
    InputError: Its training has not begun or not ended.
  """
  path, steps = check_trained(run_dir)
  supernet = recipe.make_supernet(config, space, steps)
  loop.build(supernet, space.skeleton.classes)
  checkpoint.restore(path, loop.state(supernet))
  return supernet


def check_trained(run_dir):
  """Where the supernet is, and how many steps it was trained.

  Raises:
    InputError: Its training has not begun or not ended.
  """
  path = run_dir.path / "supernet" / "checkpoint.npz"
  record = loop.resumable(path, _identity(run_dir))
  done = record["step"] if record else 0
  steps = run_dir.read_json("supernet/method.json")["steps"] if record else "all"
  if done != steps:
    raise errors.InputError(
        f"The supernet of {run_dir.path} must be trained to the end. "
        f"Received: step {done} of {steps}"
    )
  return path, steps


def _identity(run_dir):
  """What the run is but for its versions: new ones may go on with it."""
  parts = {key: value for key, value in run_dir.config().items() if key != "versions"}
  return {f"{part}.{key}": value for part, values in parts.items() for key, value in values.items()}


def _images(data):
  """The record of the images, without where they lie, which may change."""
  kept = {key: value for key, value in data.record.items() if key != "source"}
  return json.loads(json.dumps(kept))


def _method(supernet, space, steps):
  """What was drawn or derived for this run, for readers."""
  split = supernet.method.split_decision
  return {
      "steps": steps, "groups": supernet.optimizer.groups, "split_decision": split,
      "split_decision_name": space.decisions[split].name,
      "bounds": {kind: space.bounds(kind) for kind in space.costs},
  }
