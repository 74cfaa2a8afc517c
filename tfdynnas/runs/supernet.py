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
    run_dir: RunDir.
    data_config: config.DataConfig.
    space_config: config.SpaceConfig.
    config: config.SupernetConfig.
    devices: config.DeviceConfig.
    flags: Text of the flagfile that runs it again.
    progress: Callable (step, steps, **logs).
    probes: config.ProbeConfig.

  Returns:
    (supernet, rows): the trained supernet.Supernet and the rows of the log.

  Raises:
    InputError: The directory is of another run, or a config does not fit.
    DivergedError: The loss is no longer a number.
  """
  strategy, replicas = make_strategy(devices, config)
  data = setup.load_data(data_config)
  space = setup.make_space(space_config, data)
  probe = probe_job.make_probe(probes, config, data, space)
  with strategy.scope():
    feed = make_feed(data, config)
    steps = config.epochs * feed.steps_per_epoch
    supernet = recipe.make_supernet(config, space, steps, feed.prepare, images=feed.held_images)
    loop.build(supernet, space.skeleton.classes)
    run_dir.claim(describe(data_config, data, space_config, config, replicas), flags)
    ((name, identity),) = trained.trainings(run_dir)
    run_dir.write_json(f"{name}/method.json", describe_method(supernet, space, steps))
    return supernet, loop.fit(
        supernet, backend.batches(feed), feed.steps_per_epoch, config.epochs, run_dir.path / name,
        identity, devices.checkpoint_steps, progress, probe,
    )


def describe(data_config, data, space_config, config, replicas):
  """What makes the run the one it is."""
  return {
      "data": data_config.as_dict(), "images": _images(data), "space": space_config.as_dict(),
      "supernet": config.as_dict(), "devices": {"replicas": replicas},
  }


def make_feed(data, config):
  """Training images, as the config says."""
  return training_feed.TrainingFeed(
      data, data.train, config.batch, config.seed, config.pad, config.flip,
      jitter=(config.jitter, config.jitter_hue),
  )


def make_strategy(devices, config):
  """The strategy that the config says, and its number of replicas."""
  if devices.deterministic:
    backend.make_deterministic(config.seed)  # First, since JAX hears of it when it starts.
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
