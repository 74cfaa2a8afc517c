"""The first job: train a supernet in a run directory."""

import json

import keras

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas.data import training_feed
from tfdynnas.runs import probes as probe_job
from tfdynnas.runs import setup
from tfdynnas.runs import trained
from tfdynnas.training import backend
from tfdynnas.training import loop
from tfdynnas.training import recipe


def train_supernet(
    run_dir, data_config, space_config, config, devices, flags="", progress=loop.silent,
    probes=config_lib.ProbeConfig(),
):
  """Trains a supernet, or goes on with it from its last checkpoint.

  Args:
    run_dir: RunDir; workers after the first open it without a lock.
    data_config: config.DataConfig.
    space_config: config.SpaceConfig.
    config: config.SupernetConfig.
    devices: config.DeviceConfig.
    flags: Text of the flagfile that runs it again.
    progress: Callable (step, steps, **logs), called by the first worker.
    probes: config.ProbeConfig.

  Returns:
    (supernet, rows): the trained supernet.Supernet and the rows of the log.

  Raises:
    InputError: The directory is of another run, or a config does not fit.
    DivergedError: The loss is no longer a number.
    LostError: Another worker has ended.
  """
  strategy, replicas = make_strategy(devices, config)
  data = setup.load_data(data_config)
  space = setup.make_space(space_config, data)
  probe = probe_job.make_probe(probes, config, data, space)
  feed = _own_feed(strategy, data, config)
  with strategy.scope(), backend.together(strategy):
    steps = config.epochs * feed.steps_per_epoch
    supernet = recipe.make_supernet(config, space, steps, feed.prepare, images=feed.held_images)
    loop.build(supernet, space.skeleton.classes)
    described = describe(data_config, data, space_config, config, replicas)
    name, identity = _claim(run_dir, described, flags, describe_method(supernet, space, steps))
    return supernet, loop.fit(
        supernet, backend.batches(feed), feed.steps_per_epoch, config.epochs, run_dir.path / name,
        identity, devices.checkpoint_steps, progress, probe,
    )


def _own_feed(strategy, data, config):
  """Training images on each device; of several workers their own."""
  with backend.held_scope(strategy):
    return make_feed(data, config, backend.share(strategy))


def _claim(run_dir, described, flags, method):
  """Claims the folder; workers after the first look at what it wrote. Returns (name, identity)."""
  first = backend.share()[0] == 0
  if first:
    run_dir.claim(described, flags)
  backend.agree(0)  # Waits for the claim.
  if not (run_dir.path / "config.json").exists():
    raise errors.InputError(
        f"`run_dir` must be one folder that all workers share. Received: {run_dir.path}, which the "
        "first did not claim"
    )
  if not first:
    run_dir.claim(described, flags)
  ((name, identity),) = trained.trainings(run_dir)
  if first:
    run_dir.write_json(f"{name}/method.json", method)
  return name, identity


def describe(data_config, data, space_config, config, replicas):
  """What makes the run the one it is."""
  return {
      "data": data_config.as_dict(), "images": _images(data), "space": space_config.as_dict(),
      "supernet": config.as_dict(), "devices": {"replicas": replicas},
  }


def make_feed(data, config, shard=(0, 1)):
  """Training images, as the config says; of several workers its own."""
  return training_feed.TrainingFeed(
      data, data.train, config.batch, config.seed, config.pad, config.flip, shard,
      jitter=(config.jitter, config.jitter_hue),
  )


def make_strategy(devices, config):
  """The strategy that the config says, and its number of replicas."""
  if devices.deterministic:
    backend.make_deterministic(config.seed)  # First, since JAX hears of it when it starts.
  if devices.distribution == "multi_worker":
    strategy = backend.make_workers(devices.devices, devices.step_seconds)
  else:
    strategy = backend.make_strategy(devices.distribution, devices.devices)
  backend.shorten_first_step()
  count = backend.devices_of(strategy)
  if config.batch % count:
    raise errors.InputError(f"`batch` must divide by {count} devices. Received: {config.batch}")
  return strategy, strategy.num_replicas_in_sync


def _images(data):
  """The record of the images, without where they lie, which may change."""
  kept = {key: value for key, value in data.record.items() if key != "source"}
  return json.loads(json.dumps(kept))


def describe_method(supernet, space, steps):
  """What was drawn or derived for this run, for readers."""
  split = supernet.method.split_decision
  return {
      "backend": keras.backend.backend(), "steps": steps, "groups": supernet.optimizer.groups,
      "split_decision": split,
      "split_decision_name": space.decisions[split].name,
      "bounds": {kind: space.bounds(kind) for kind in space.costs},
  }
