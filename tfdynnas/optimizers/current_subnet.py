"""What a step is told beforehand: checked if it is known, kept where every trainer carries it."""

import numpy as np

from tfdynnas import errors
from tfdynnas.backend import current


def check(name, value, low, high, shape=(), whole=False):
  """Refuses a value that is out of range, if it is known by now.

  Args:
    name: What it is, for the message.
    value: Number, array or tensor.
    low: Least value allowed.
    high: Greatest value allowed.
    shape: tuple, the shape that it must have.
    whole: bool, it must be whole.

  Raises:
    InputError: It is known and out of range, or has another shape.
  """
  there = tuple(value.shape if hasattr(value, "shape") else np.shape(value))
  if there != shape:
    raise errors.InputError(f"`{name}` must have the shape {shape}. Received: {there}")
  found = current.known(value)
  if found is None:
    return
  if not np.all((found >= low) & (found <= high)) or whole and np.any(found % 1):
    rule = "a whole number in" if whole else "in"
    raise errors.InputError(f"`{name}` must be {rule} [{low}, {high}]. Received: {found}")


def assign(variable, value):
  """Sets what the next step reads.

  Args:
    variable: keras.Variable among those of an optimizer.
    value: Tensor of its shape.

  Raises:
    InputError: A trainer holds the variable's value, and would put it back over this one.
  """
  try:
    variable.value
  except TypeError as error:  # So says Keras of a variable whose value it has taken out.
    raise errors.InputError(
        "`tell` from a callback must come after the callback has read `self.model`, which is when "
        "Keras' `fit` on JAX gives the state back. Received: told before"
    ) from error
  variable.assign(value)
