"""The first job in parts: a supernet for each choice of one decision, trained separately.

Source: Zhao et al., few-shot neural architecture search (ICML 2021); with CaLR and MS as in
"Subnet-Aware Dynamic Supernet Training" (CVPR 2025): the bounds of the complexity are those of the
whole space, and MS splits another decision, the same in all parts.
"""

import dataclasses
import pathlib

import numpy as np
from keras import ops

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.backend import current
from tfdynnas.config import option
from tfdynnas.jobs import probes as probe_job
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import scoring
from tfdynnas.jobs import setup
from tfdynnas.jobs import supernet as supernet_job
from tfdynnas.jobs import trained
from tfdynnas.sampling import uniform
from tfdynnas.training import loop
from tfdynnas.training import recipe


def train_few_shot(
    run_dir, data_config, space_config, config, few_shot, devices, flags="",
    progress=lambda part: loop.silent, probes=config_lib.ProbeConfig(), tell=setup.untold,
    check=setup.unchecked,
):
  """Trains the unfinished parts that no other worker is training.

  Args:
    run_dir: RunDir, opened as shared: several workers may make the same call.
    data_config, space_config: config.DataConfig, config.SpaceConfig.
    config: config.SupernetConfig, of each part.
    few_shot, devices: config.FewShotConfig, config.DeviceConfig.
    flags: Text of a flagfile that repeats the run.
    progress: Callable, part -> callable (step, steps, **logs).
    probes: config.ProbeConfig, for each part; its archs are those of the part.
    tell: Callable, given a description of the images, as text, before the first step.
    check: Callable (data.Data, spaces.Space), a further check before anything is written.

  Returns:
    List of dicts, one per part: `part` (int), `choices` (names), and `row`, the last of its log,
    or None while another worker trains the part.

  Raises:
    InputError: The directory is of another run, or a config does not fit.
    DivergedError: The loss of a part is no longer a number.
  """
  option.refuse_idle(data_config, config)
  strategy, replicas = supernet_job.make_strategy(devices, config)
  data_config, data, space = setup.load(run_dir, data_config, space_config, check)
  parts = spaces.make_parts(space, few_shot.few_shot_decision, few_shot.few_shot_groups or "")
  probe = probe_job.make_probe(probes, config, data, space)
  with strategy.scope():
    begin, digest = _source(few_shot.init_from, space_config, space)
    _refuse(config, parts, data)
    described = supernet_job.describe(data_config, data, space_config, config, replicas, space)
    run_dir.claim({**described, "few_shot": _describe(parts, digest)}, flags)
    setup.account_for(run_dir, data, tell)
    job = _Job(run_dir, data, parts, config, begin, devices.checkpoint_steps, probe)
    return [job.train(part, progress(part)) for part in range(len(parts.groups))]


def part_config(config, parts, part):
  """The config of the training of one part.

  Args:
    config: config.SupernetConfig of the run.
    parts: spaces.Parts.
    part: int.

  Returns:
    config.SupernetConfig with the part's own seed and, for MS, the decision that it splits, drawn
    from the seed of the run.
  """
  seed = int(np.random.SeedSequence([config.seed, part]).generate_state(1)[0])
  if config.momentum_groups == "shared":
    return dataclasses.replace(config, seed=seed)
  split = config.split_decision
  if split is None:
    free = uniform.splittable(parts.space, parts.allowed(part))
    split = uniform.split_decision(free, config.seed)
  return dataclasses.replace(config, seed=seed, split_decision=split)


def _refuse(config, parts, data):
  """Refuses, before the run is claimed, what the training of any part would refuse."""
  first = part_config(config, parts, 0)
  feed = supernet_job.make_feed(data, first)
  current.batches(feed)
  steps, images = feed.steps(config.epochs), feed.held_images
  counts = np.ones(len(data.class_names))  # Any counts will do.
  recipe.make_supernet(
      first, parts.space, steps, allowed=parts.allowed(0), images=images, counts=counts
  )
  for part in range(1, len(parts.groups)):
    own = part_config(config, parts, part)
    recipe.make_method(own, parts.space, steps, allowed=parts.allowed(part), images=images)


def _describe(parts, digest):
  """The identity of the parts, by the names of the flags."""
  return {
      "few_shot_decision": parts.decision, "few_shot_groups": parts.format(), "init_from": digest
  }


def _source(path, space_config, space):
  """(values, digest): initial weights, a list of arrays, and a hash; (None, "") without a path."""
  if not path:
    return None, ""
  if not (pathlib.Path(path) / "config.json").exists():
    raise errors.InputError(f"`init_from` must hold a run with a supernet. Received: {path}")
  source = run_directory.RunDir(path, shared=True)
  stored = source.config()
  if stored.get("few_shot"):
    raise errors.InputError(f"`init_from` must hold one supernet. Received: {path}, in parts")
  known = config_lib.SpaceConfig.from_dict(stored["space"]).as_dict()  # Older runs lack some.
  for name, value in space_config.as_dict().items():
    if known[name] != value:
      raise errors.InputError(
          f"`init_from` must be of the same space, {name}={value!r}. "
          f"Received: {path}, {name}={known[name]!r}"
      )
  if space_config.own and setup.stored_space(stored) != space:
    raise errors.InputError(
        f"`init_from` must be of the space that {space_config.space} makes. Received: {path}, of "
        "another"
    )
  config = config_lib.SupernetConfig.from_dict(stored["supernet"])
  supernet = trained.load_supernet(source, config, space)
  values = [ops.convert_to_numpy(v) for v in supernet.trainable_variables]
  digest = scoring.weights_digest(source)
  source.close()
  return values, digest


class _Job:
  """The state that the parts of a run share."""

  def __init__(self, run_dir, data, parts, config, begin, every, probe):
    self._run_dir, self._data, self._parts, self._config = run_dir, data, parts, config
    self._begin, self._every, self._probe = begin, every, probe
    self._trainings = trained.trainings(run_dir)

  def train(self, part, progress):
    """Trains an unfinished part that no other worker has; returns its dict for `train_few_shot`."""
    name, identity = self._trainings[part]
    lock = run_directory.lock(self._run_dir.path / name)
    row = None
    if lock:
      with lock:
        done, steps = trained.progress(self._run_dir, name, identity)
        if done != steps:
          self._fit(part, name, identity, progress)
        row = loop.resumable(self._run_dir.path / name / "checkpoint.npz", identity)["rows"][-1]
    return {"part": part, "choices": self._parts.names(part), "row": row}

  def _fit(self, part, name, identity, progress):
    space, config = self._parts.space, part_config(self._config, self._parts, part)
    feed = supernet_job.make_feed(self._data, config)
    supernet = supernet_job.make_compiled(config, space, feed, self._parts.allowed(part))
    for variable, value in zip(supernet.trainable_variables, self._begin or ()):
      variable.assign(value)
    method = supernet_job.describe_method(supernet, space, feed.steps(config.epochs))
    own = {"part": part, "choices": self._parts.names(part), "seed": config.seed}
    self._run_dir.write_json(f"{name}/method.json", {**own, **method})
    with feed.reading():
      loop.fit(
          supernet, current.batches(feed), feed.steps_per_epoch, config.epochs,
          self._run_dir.path / name, identity, self._every, progress, self._probe,
      )
