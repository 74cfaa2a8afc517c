"""From a config to a compiled supernet: space, schedule, optimizer and method together."""

import keras

from tfdynnas import errors
from tfdynnas import supernet as supernet_lib
from tfdynnas.training import backend
from tfdynnas.training import by_budget
from tfdynnas.training import calr
from tfdynnas.training import fairnas
from tfdynnas.training import losses
from tfdynnas.training import ms
from tfdynnas.training import pada
from tfdynnas.training import path_importance
from tfdynnas.training import sandwich
from tfdynnas.training import single_path


def make_supernet(config, space, steps, prepare=None, allowed=None, images=0):
  """Makes and compiles the supernet; call it in the strategy's scope.

  Args:
    config: config.SupernetConfig.
    space: spaces.Space.
    steps: int >= 1, steps of the whole training.
    prepare: As for training.SinglePath.
    allowed: Sequence per decision of the choices to train; None trains all. CaLR keeps the bounds
      of the whole space.
    images: int, held images that a step may draw from; 0 if they are streamed.

  Returns:
    supernet.Supernet, compiled.

  Raises:
    InputError: The split decision is not in the space, or restricted, or images are to be drawn
      and are not held.
  """
  supernet = supernet_lib.Supernet(
      space, seed=config.seed, name="supernet", dtype=config.precision
  )
  method = _make_method(config, space, steps, prepare, allowed, images)
  schedule = config.learning_rate
  if config.calr_on == "lr":
    schedule = _make_schedule(config, space, steps, paths=method.sampler(0).shape[0])
  optimizer = ms.MS(
      schedule, config.momentum, l2=config.l2, max_norm=config.max_norm or None,
      groups=method.groups, off_path=config.off_path,
  )
  loss = losses.crossentropy(config.label_smoothing)
  supernet.compile(
      optimizer=optimizer, loss=loss, metrics=["accuracy"], method=method,
      jit_compile=backend.JIT_COMPILE,
  )
  return supernet


def _make_method(config, space, steps, prepare, allowed, images):
  """The method that the config says."""
  settings = {
      "seed": config.seed, "prepare": prepare, "allowed": allowed,
      "split_decision": None if config.split_decision < 0 else config.split_decision,
      "momentum_groups": config.momentum_groups,
  }
  if config.sampler == "pa":
    return path_importance.PathImportance(space, steps=steps, epochs=config.epochs, **settings)
  if config.sampler == "pada":
    return pada.PADA(space, images, steps=steps, epochs=config.epochs, **settings)
  if config.method == "spos":
    sampler = config.sampler
    if sampler == "budget":
      sampler = _make_budget(config, space, allowed)
    return single_path.SinglePath(space, sampler=sampler, **settings)
  if config.calr_on == "loss":
    settings["loss_calr"] = _make_schedule(config, space, steps)
  if config.method == "fairnas":
    return fairnas.FairNAS(space, **settings)
  return sandwich.Sandwich(
      space, sampler=config.sampler, random_paths=config.random_paths, **settings
  )


def _make_budget(config, space, allowed):
  """The sampler of archs within the ranges of cost that the config says."""
  kind, _, text = config.budget.partition(":")
  ranges = [[float(end) for end in pair.split("-")] for pair in text.split(",")]
  cost = space.costs[kind]
  return by_budget.Budget(cost.fixed, cost.table, ranges, config.seed, allowed)


def _make_schedule(config, space, steps, paths=1):
  """The learning rate that the config says: a number or a schedule."""
  rate, bounds = config.learning_rate, space.bounds("complexity")
  if config.schedule == "constant":
    return rate
  if config.schedule == "cosine":
    return keras.optimizers.schedules.CosineDecay(rate, steps)
  if config.schedule == "polynomial":
    return keras.optimizers.schedules.PolynomialDecay(rate, steps, 0.0, config.gamma)
  if bounds[0] == bounds[1]:
    raise errors.InputError("CaLR needs subnets of different complexity. Received: all alike")
  gamma_max = config.gamma_max if config.schedule == "calr" else 1 / config.gamma_max
  return calr.CaLR(rate, steps, *bounds, gamma_max, paths)
