"""CaLR, the complexity-aware learning rate: small subnets decay fast, large ones slowly.

Source: "Subnet-Aware Dynamic Supernet Training" (CVPR 2025): lr0 (1 - t / T) ** gamma(C), gamma
falling linearly in ln C from gamma_max at the least complexity to 1 / gamma_max at the greatest.
"""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.backend import current
from tfdynnas.optimizers import current_subnet

_BOUND = ("steps", "c_min", "c_max", "paths")  # What may be given or bound later.
_ROUNDING = 1e-5  # Relative: how far a float32 sum of complexities may exceed the bounds.


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
  """Learning rate by step and by the complexity that `tell` set; works with any optimizer.

  `Supernet.compile(..., method=...)` binds the least and greatest complexity and the number of
  paths if they are not given, and its `fit` the steps. With any other model give them.

  Example:
    schedule = nas.CaLR(0.05, steps=1000, c_min=1e5, c_max=1e6)
    schedule.tell(1e5)  # The complexity of the subnet that the next step trains.
    print(schedule(500))  # 0.05 / 2**4, half way.
    print(schedule.rate(500, 1e6))  # 0.05 / 2**0.25, that of the largest subnet.
  """

  steps: Any  # These are None until they are given or bound.
  c_min: Any
  c_max: Any

  def __init__(
      self, learning_rate: float, steps: int | None = None, c_min: float | None = None,
      c_max: float | None = None, gamma_max: float = 4.0, paths: int | None = None,
  ):
    """Makes the schedule.

    Args:
      learning_rate: float > 0, at step 0.
      steps: int >= 1, steps of the whole training, T; None: bound later.
      c_min: Least complexity, > 0; None: bound later.
      c_max: Greatest complexity, > c_min; None: bound later.
      gamma_max: float > 0, the exponent at c_min, its reciprocal that at c_max: 1 gives a linear
        decay for all, below 1 large subnets decay fast and small ones slowly.
      paths: int >= 1, subnets of a step, whose rates are averaged. None: bound later, else 1.

    Raises:
      InputError: A number is out of range.
    """
    self.learning_rate, self.gamma_max = learning_rate, gamma_max
    self.steps, self.c_min, self.c_max, self.paths = steps, c_min, c_max, paths
    self._given = {name for name in _BOUND if getattr(self, name) is not None}
    self._is_told = self._is_constant = False
    self._make()

  def bind(self, **known: float) -> None:
    """Sets the numbers that were not given; those given stay.

    Args:
      **known: Any of `steps`, `c_min`, `c_max` and `paths`, as above.

    Raises:
      InputError: A number is out of range.
    """
    for name in known.keys() - self._given:
      setattr(self, name, known[name])
    self._make()

  def is_given(self, name: str) -> bool:
    """Whether a number was given when the schedule was made, not bound later."""
    return name in self._given

  def _make(self):
    """Checks the numbers known so far, and makes the variable for the complexity."""
    for name in ("learning_rate", "gamma_max", "c_min", "c_max", "steps", "paths"):
      value = getattr(self, name)
      if value is not None or name not in _BOUND:
        _check(name, value, whole=name in ("steps", "paths"))
    self.steps, self.paths = (n if n is None else int(n) for n in (self.steps, self.paths))
    both = self.c_min is not None and self.c_max is not None
    if both and not self.c_max > self.c_min:
      raise errors.InputError(
          f"`c_max` must be a number > c_min={self.c_min}. Received: {self.c_max}"
      )
    shape = () if self.paths in (None, 1) else (self.paths,)
    made = getattr(self, "complexity", None)
    if made is None or tuple(made.shape) != shape:
      self.complexity = keras.Variable(
          np.zeros(shape, np.float32), dtype="float32", trainable=False, name="complexity",
          aggregation="only_first_replica",
      )
    if both:
      self.complexity.assign(np.full(shape, self.c_max, np.float32))

  def _refuse_unbound(self):
    missing = [name for name in _BOUND[:3] if getattr(self, name) is None]
    if missing:
      raise errors.InputError(
          f"CaLR needs {', '.join(f'`{name}`' for name in missing)}: give them, or train by "
          "Supernet.compile(..., method=...) and its `fit`, which know them. Received: none"
      )

  def tell(self, complexity: Any) -> None:
    """Sets the complexity of the next step; until then it is c_max.

    A saved model keeps it; tf.train.Checkpoint does not, so call `tell` again after it restores.

    Args:
      complexity: Number in [c_min, c_max], or [paths] for several paths. If a compiled step
        computes it, a value out of range makes the rate NaN.

    Raises:
      InputError: It is out of range, or a compiled step would ignore it.
    """
    if self.c_min is None or self.c_max is None:
      self._refuse_unbound()
    low, high = self._bounds()
    current_subnet.check("complexity", complexity, low, high, tuple(self.complexity.shape))
    complexity = ops.cast(complexity, "float32")
    if current.known(complexity) is not None:
      self._is_told = True
      self._refuse_constant()
    current_subnet.assign(self.complexity, complexity)

  def _bounds(self):
    return self.c_min * (1 - _ROUNDING), self.c_max * (1 + _ROUNDING)

  def __call__(self, step: Any) -> Any:
    """Learning rate of a step, float32; 0 from step T on.

    Args:
      step: int or int32 scalar.

    Returns:
      float32 scalar; of several paths the mean.

    Raises:
      InputError: A step is being compiled that would keep the last complexity for ever.
    """
    self._refuse_unbound()
    step, complexity = ops.convert_to_tensor(step), ops.convert_to_tensor(self.complexity)
    if current.known(step) is None and current.known(complexity) is not None:
      self._is_constant = True  # JAX, and the optimizer does not carry the variable.
      self._refuse_constant()
    inside = ops.equal(ops.clip(complexity, *self._bounds()), complexity)
    rate = ops.where(inside, self.rate(step, complexity), float("nan"))
    return ops.mean(rate) if self.complexity.shape else rate

  def _refuse_constant(self):
    if self._is_told and self._is_constant:
      raise errors.InputError(
          "CaLR must be the rate of MS to be told before a compiled step on JAX; for another "
          "optimizer set `optimizer.learning_rate = schedule.rate(optimizer.iterations, "
          "complexity)` before each step. Received: a compiled call that does not carry it"
      )

  def rate(self, step: Any, complexity: Any) -> Any:
    """Learning rate of subnets at a step.

    T - t is taken between integers: 1 - t / T is 1 % off at the last step in float32.

    Args:
      step: int or int32 scalar.
      complexity: float scalar or array in [c_min, c_max].

    Returns:
      float32, of the shape of `complexity`; 0 from step T on.
    """
    self._refuse_unbound()
    left = ops.cast(ops.maximum(self.steps - ops.cast(step, "int32"), 0), "float32")
    exponent = gamma(complexity, self.c_min, self.c_max, self.gamma_max)
    return self.learning_rate * ops.power(left / self.steps, exponent)

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`."""
    keys = ("learning_rate", "steps", "c_min", "c_max", "gamma_max", "paths")
    return {key: getattr(self, key) for key in keys}


def _check(name, value, whole):
  """Refuses what is not a positive number, or not a whole one."""
  if whole:
    errors.check_number(value, lambda number: number >= 1 and number == int(number),
                        f"`{name}` must be a whole number >= 1")
  else:
    errors.check_number(value, lambda number: number > 0, f"`{name}` must be a number > 0")
