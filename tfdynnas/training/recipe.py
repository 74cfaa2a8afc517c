"""From a config to a compiled supernet: space, schedule, optimizer and method together."""

import keras

from tfdynnas import errors
from tfdynnas import registry
from tfdynnas import supernet as supernet_lib
from tfdynnas.optimizers import calr
from tfdynnas.optimizers import losses
from tfdynnas.optimizers import ms
from tfdynnas.sampling import samplers


def make_supernet(config, space, steps, prepare=None, allowed=None, images=0, counts=None):
  """Makes and compiles the supernet; call it in the strategy's scope.

  Args:
    config: config.SupernetConfig.
    space: spaces.Space.
    steps: int >= 1, steps of the whole training.
    prepare: As for methods.Method.
    allowed: Sequence per decision of the choices to train; None: those of the space. The bounds of
      CaLR are the space's in any case.
    images: int, held images that a step may draw from; 0 if they are streamed.
    counts: int [classes], training images of each class; needed by class_weights.

  Returns:
    supernet.Supernet, compiled.

  Raises:
    InputError: The split decision is not in the space or is restricted, images are to be drawn that
      are not held, or classes are to be weighted that were not counted.
  """
  supernet = make_network(config, space, dtype=config.precision)
  method = make_method(config, space, steps, prepare, allowed, images)
  on_rate = config.calr_on != "loss"
  optimizer = ms.MS(
      _make_schedule(config, steps) if on_rate else config.learning_rate, config.momentum,
      l2=config.l2, max_norm=config.max_norm or None, off_path=config.off_path,
  )
  loss = losses.crossentropy(config.label_smoothing, class_weights(config, counts))
  supernet.compile(optimizer, loss, method)
  return supernet


def make_network(config, space, **kwargs):
  """Makes the supernet that a config describes, without what trains it.

  Args:
    config: config.SupernetConfig.
    space: spaces.Space.
    **kwargs: name, dtype: as for supernet.Supernet.
  """
  return supernet_lib.Supernet(
      space, config.seed, config.sharing, config.branch_scale, **{"name": "supernet", **kwargs}
  )


def class_weights(config, counts):
  """Weights of the classes in the loss.

  Args:
    config: config.SupernetConfig or config.SubnetConfig.
    counts: int [classes], training images of each class; None: not counted.

  Returns:
    float64 [classes], or None: all are 1.

  Raises:
    InputError: Counts are needed and missing.
  """
  if config.class_weights == "none":
    return None
  if counts is None:
    raise errors.InputError(
        f"`class_weights` {config.class_weights} needs the images of each class. Received: none"
    )
  return losses.balanced_weights(counts)


def make_method(config, space, steps, prepare=None, allowed=None, images=0):
  """Makes the method of a config; arguments and errors as for `make_supernet`."""
  kind = _kind(config)
  known = {
      "steps": lambda: steps, "epochs": lambda: config.epochs, "images": lambda: images,
      "sampler": lambda: _make_sampler(config, space, allowed),
      "random_paths": lambda: config.random_paths,
      "loss_calr": lambda: _make_schedule(config, steps) if config.calr_on == "loss" else None,
  }
  return kind(
      space, seed=config.seed, prepare=prepare, allowed=allowed,
      split_decision=config.split_decision, momentum_groups=config.momentum_groups,
      **{name: known.get(name, lambda: getattr(config, name))() for name in kind.SETTINGS},
  )


def _kind(config):
  """The class of the method of a config."""
  learning = registry.LEARNING_SAMPLERS
  if config.sampler in learning:
    return registry.find(learning, config.sampler, "sampler")
  return registry.find(registry.METHODS, config.method, "method")


def _make_sampler(config, space, allowed):
  """The name of a config's sampler, or the sampler itself if it has settings."""
  kind = registry.find(registry.SAMPLERS, config.sampler, "sampler")
  settings = getattr(kind, "SETTINGS", ())
  if not settings:
    return config.sampler
  own = {name: getattr(config, name) for name in settings}
  return samplers.make(config.sampler, space, config.seed, allowed, **own)


def _make_schedule(config, steps):
  """The learning rate of a config: a number or a schedule."""
  rate = config.learning_rate
  if config.schedule == "constant":
    return rate
  if config.schedule == "cosine":
    return keras.optimizers.schedules.CosineDecay(rate, steps)
  if config.schedule == "polynomial":
    return keras.optimizers.schedules.PolynomialDecay(rate, steps, 0.0, config.gamma)
  gamma_max = config.gamma_max if config.schedule == "calr" else 1 / config.gamma_max
  return calr.CaLR(rate, steps, gamma_max=gamma_max)
