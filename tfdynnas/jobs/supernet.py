"""The first job: train a supernet in a run directory."""

import json

import keras

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas.backend import current
from tfdynnas.config import option
from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.jobs import probes as probe_job
from tfdynnas.jobs import setup
from tfdynnas.jobs import trained
from tfdynnas.training import loop
from tfdynnas.training import recipe


def train_supernet(
    run_dir, data_config, space_config, config, devices, flags="", progress=loop.silent,
    probes=config_lib.ProbeConfig(), tell=setup.untold, check=setup.unchecked,
):
  """Trains a supernet, or resumes from its last checkpoint.

  Args:
    run_dir: RunDir; workers after the first open it without a lock.
    data_config, space_config, config: config.DataConfig, SpaceConfig, SupernetConfig.
    devices: config.DeviceConfig.
    flags: Text of a flagfile that repeats the run.
    progress: Callable (step, steps, **logs), called by the first worker.
    probes: config.ProbeConfig.
    tell: Callable, given a description of the images, as text, before the first step.
    check: Callable (data.Data, spaces.Space), a further check before anything is written.

  Returns:
    (supernet, rows): the trained supernet.Supernet and the rows of the log.

  Raises:
    InputError: The directory is of another run, or a config does not fit.
    DivergedError: The loss is no longer a number.
    LostError: Another worker has ended.
  """
  option.refuse_idle(data_config, config)
  strategy, replicas = make_strategy(devices, config)
  data_config, data, space = setup.load(run_dir, data_config, space_config, check)
  probe = probe_job.make_probe(probes, config, data, space)
  feed = _own_feed(strategy, data, config)
  with strategy.scope(), current.together(strategy), feed.reading():
    supernet = make_compiled(config, space, feed)
    described = describe(data_config, data, space_config, config, replicas, space)
    return supernet, train(
        run_dir, supernet, data, feed, described, flags, tell, every=devices.checkpoint_steps,
        progress=progress, probe=probe,
    )


def train(run_dir, supernet, data, feed, described, flags, tell=setup.untold, **how):
  """Claims a run for a compiled supernet and trains it there, in the scope of its strategy.

  Args:
    run_dir: RunDir.
    supernet: supernet.Supernet, compiled and built, all bound.
    data: data.Data.
    feed: data.feeds.TrainingFeed, which prepares the method's images.
    described: dict that `describe` returned.
    flags: Text of a flagfile that repeats the run.
    tell: Callable, given a description of the images, as text, before the first step.
    **how: Arguments of loop.fit: every, progress, probe, callbacks, validation_data.

  Returns:
    List of dicts, the rows of the log.

  Raises:
    InputError: The directory is of another run.
    DivergedError: The loss is no longer a number.
    LostError: Another worker has ended.
  """
  batches, epochs = current.batches(feed), described["supernet"]["epochs"]
  method = describe_method(supernet, supernet.space, feed.steps(epochs))
  name, identity = _claim(run_dir, described, flags, method, data, tell)
  return loop.fit(
      supernet, batches, feed.steps_per_epoch, epochs, run_dir.path / name, identity, **how)


def _own_feed(strategy, data, config):
  """Training images on each device; each worker has its own share."""
  with current.held_scope(strategy):
    return make_feed(data, config, current.share(strategy))


def _claim(run_dir, described, flags, method, data, tell):
  """Claims the folder; workers after the first check its claim. Returns (name, identity)."""
  first = current.share()[0] == 0
  if first:
    run_dir.claim(described, flags)
  current.agree(0)  # Waits for the claim.
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
    setup.account_for(run_dir, data, tell)
  return name, identity


def describe(data_config, data, space_config, config, replicas, space):
  """The settings that identify the run, as JSON values."""
  return {
      "data": data_config.as_dict(), "images": _images(data), "space": space_config.as_dict(),
      "supernet": config.as_dict(), "devices": {"replicas": replicas},
      **setup.own_space(space_config, space),
  }


def make_feed(data, config, shard=(0, 1)):
  """Training images of a config; `shard` selects a worker's share."""
  return feeds.TrainingFeed(
      data, data.train, config.batch, config.seed, augmentation(config), shard)


def augmentation(config):
  """The augment.Augmentation of a config.SupernetConfig."""
  return augment.Augmentation(config.value("pad"), config.flip, config.jitter, config.jitter_hue)


def make_compiled(config, space, feed, allowed=None):
  """The supernet of a config for the images of a feed, compiled and built."""
  supernet = recipe.make_supernet(
      config, space, feed.steps(config.epochs), feed.prepare, allowed, feed.held_images,
      counted(config, feed),
  )
  loop.build(supernet, space.skeleton.classes)
  return supernet


def counted(config, feed):
  """Images of each class of a feed, int64 [classes], if the config weighs classes; else None."""
  return None if config.class_weights == "none" else feed.class_counts()


def make_strategy(devices, config):
  """The strategy of a config, and its number of replicas."""
  if devices.deterministic:
    current.make_deterministic(config.seed)  # First: JAX reads it when it starts.
  if devices.distribution == "multi_worker":
    strategy = current.make_workers(devices.devices, devices.step_seconds)
  else:
    strategy = current.make_strategy(devices.distribution, devices.devices)
  current.shorten_first_step()
  check_batch(config, current.devices_of(strategy))
  return strategy, strategy.num_replicas_in_sync


def check_batch(config, devices):
  """Raises InputError unless a batch divides evenly between so many devices."""
  if config.batch % devices:
    raise errors.InputError(f"`batch` must divide by {devices} devices. Received: {config.batch}")


def _images(data):
  """The record of the images, without their location, which may change."""
  kept = {key: value for key, value in data.record.items() if key not in ("source", "skipped")}
  return json.loads(json.dumps(kept))


def describe_method(supernet, space, steps):
  """The values drawn or derived for this run, for readers."""
  split = supernet.method.split_decision
  return {
      "backend": keras.backend.backend(), "steps": steps, "groups": supernet.optimizer.groups,
      "split_decision": split,
      "split_decision_name": space.decisions[split].name,
      "bounds": {kind: space.bounds(kind) for kind in space.costs},
  }
