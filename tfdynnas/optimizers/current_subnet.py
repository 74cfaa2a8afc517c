"""What `tell` sets for a step: checked if it is known, kept where every trainer carries it."""

import numpy as np

from tfdynnas import errors
from tfdynnas.backend import current


def check(name, value, low, high, shape=(), whole=False):
  """Refuses a value that is known and out of range.

  Args:
    name: Name of the value, for the message.
    value: Number, array or tensor.
    low: Least value allowed.
    high: Greatest value allowed.
    shape: tuple, the required shape.
    whole: bool, whether the value must be whole.

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
  """Sets a variable that the next step reads.

  Args:
    variable: keras.Variable among those of an optimizer.
    value: Tensor of its shape.

  Raises:
    InputError: A trainer holds the variable's value and would write it back over this one.
  """
  try:
    variable.value
  except TypeError as error:  # Of a variable whose value Keras has taken out.
    raise errors.InputError(
        "`tell` from a callback must come after the callback has read `self.model`, which is when "
        "Keras' `fit` on JAX gives the state back. Received: told before"
    ) from error
  variable.assign(value)
