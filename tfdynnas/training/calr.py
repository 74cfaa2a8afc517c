"""CaLR, the complexity-aware learning rate: small subnets decay fast, large ones slowly.

Source: "Subnet-Aware Dynamic Supernet Training" (CVPR 2025): lr0 (1 - t / T) ** gamma(C), gamma
falling linearly in ln C from gamma_max at the least complexity to 1 / gamma_max at the greatest.
"""

import math

import keras
import numpy as np
from keras import ops

from tfdynnas import errors


def coefficients(c_min, c_max, gamma_max):
  """(slope, offset) of gamma(C) = slope * ln(C) + offset."""
  slope = -(gamma_max - 1 / gamma_max) / (math.log(c_max) - math.log(c_min))
  return slope, 1 / gamma_max - slope * math.log(c_max)


def gamma(complexity, c_min, c_max, gamma_max):
  """Exponent of the decay of a subnet.

  Args:
    complexity: float scalar or array in [c_min, c_max].
    c_min: Least complexity of the space, > 0.
    c_max: Greatest complexity, > c_min.
    gamma_max: Exponent at c_min, > 0; at c_max it is 1 / gamma_max.

  Returns:
    float32, of the shape of `complexity`.
  """
  slope, offset = coefficients(c_min, c_max, gamma_max)
  return slope * ops.log(ops.cast(complexity, "float32")) + offset


@keras.saving.register_keras_serializable("tfdynnas")
class CaLR(keras.optimizers.schedules.LearningRateSchedule):
  """Learning rate of the step and of the complexity that `tell` gave; serves any optimizer."""

  def __init__(self, learning_rate, steps, c_min, c_max, gamma_max=4.0, paths=1):
    """Makes the schedule.

    Args:
      learning_rate: float > 0, at step 0.
      steps: int >= 1, steps of the whole training, T.
      c_min: Least complexity, > 0.
      c_max: Greatest complexity, > c_min.
      gamma_max: float > 0, the exponent at c_min, its reciprocal that at c_max: 1 gives a linear
        decay for all, below 1 large subnets decay fast and small ones slowly.
      paths: int >= 1, subnets of a step; of several the mean rate counts.

    Raises:
      InputError: A number is out of range.
    """
    for good, rule, value in (
        (learning_rate > 0, "`learning_rate` must be > 0", learning_rate),
        (steps >= 1, "`steps` must be >= 1", steps),
        (c_min > 0, "`c_min` must be > 0", c_min),
        (c_max > c_min, f"`c_max` must be > c_min={c_min}", c_max),
        (gamma_max > 0, "`gamma_max` must be > 0", gamma_max),
        (paths >= 1, "`paths` must be >= 1", paths),
    ):
      if not good:
        raise errors.InputError(f"{rule}. Received: {value}")
    self.learning_rate, self.steps, self.gamma_max = learning_rate, steps, gamma_max
    self.c_min, self.c_max, self.paths = c_min, c_max, paths
    self._complexity = keras.Variable(
        np.full(() if paths == 1 else paths, c_max, np.float32), dtype="float32",
        trainable=False, name="complexity", aggregation="only_first_replica",
    )

  def tell(self, complexity):
    """Says which complexity the next step has; until then it is c_max.

    Args:
      complexity: Number, or [paths] of several paths.
    """
    self._complexity.assign(ops.cast(complexity, "float32"))

  def __call__(self, step):
    """Learning rate of a step, float32; 0 from step T on."""
    rate = self.rate(step, self._complexity)
    return rate if self.paths == 1 else ops.mean(rate)

  def rate(self, step, complexity):
    """Learning rate of subnets at a step.

    T - t is taken between integers: 1 - t / T is 1 % off at the last step in float32.

    Args:
      step: int or int32 scalar.
      complexity: float scalar or array in [c_min, c_max].

    Returns:
      float32, of the shape of `complexity`; 0 from step T on.
    """
    left = ops.cast(ops.maximum(self.steps - ops.cast(step, "int32"), 0), "float32")
    exponent = gamma(complexity, self.c_min, self.c_max, self.gamma_max)
    return self.learning_rate * ops.power(left / self.steps, exponent)

  def get_config(self):
    """Config for `from_config`."""
    keys = ("learning_rate", "steps", "c_min", "c_max", "gamma_max", "paths")
    return {key: getattr(self, key) for key in keys}
