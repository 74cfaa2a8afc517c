"""From a config to a compiled supernet: space, CaLR, MS and the single-path method together."""

import keras

from tfdynnas import errors
from tfdynnas import supernet as supernet_lib
from tfdynnas.training import calr
from tfdynnas.training import ms
from tfdynnas.training import single_path


def make_supernet(config, space, steps, prepare=None, allowed=None):
  """Makes and compiles the supernet; call it in the strategy's scope.

  Args:
    config: config.SupernetConfig.
    space: spaces.CellSpace.
    steps: int >= 1, steps of the whole training.
    prepare: As for training.SinglePath.
    allowed: Sequence per decision of the choices to train; None trains all. CaLR keeps the bounds
      of the whole space.

  Returns:
    supernet.Supernet, compiled.

  Raises:
    InputError: The split decision is not in the space, or restricted.
  """
  supernet = supernet_lib.Supernet(space, seed=config.seed, name="supernet")
  split = None if config.split_decision < 0 else config.split_decision
  method = single_path.SinglePath(space, config.seed, split, prepare, allowed)
  bounds = space.bounds("complexity")
  if config.schedule == "calr":
    if bounds[0] == bounds[1]:
      raise errors.InputError("CaLR needs subnets of different complexity. Received: all alike")
    schedule = calr.CaLR(config.learning_rate, steps, *bounds, config.gamma_max)
  else:
    schedule = keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)
  optimizer = ms.MS(
      schedule, config.momentum, l2=config.l2, max_norm=config.max_norm or None,
      groups=method.groups if config.momentum_groups == "split" else 1, off_path=config.off_path,
  )
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, name="loss")
  supernet.compile(
      optimizer=optimizer, loss=loss, metrics=["accuracy"], method=method, jit_compile=False
  )
  return supernet
