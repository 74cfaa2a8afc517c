"""Shim: reads and writes rows of a variable in place, at the cost of these rows alone."""

import keras
from keras import ops

if keras.backend.backend() == "tensorflow":
  import tensorflow as tf

  def read(variable, index):
    """Gathers rows; the gradient of the variable is those rows.

    Args:
      variable: keras.Variable, or the backend's own, [n0, n1, ...].
      index: int32 [rows, k], k leading indices each.

    Returns:
      Tensor [rows, ...], without the k leading axes.
    """
    value = _native(variable)
    if not isinstance(value, tf.distribute.DistributedValues):
      # Keras' `take` reads the whole variable, a copy once rows were written in place.
      return value.sparse_read(index[:, 0]) if index.shape[-1] == 1 else value.gather_nd(index)
    whole = value.read_value()  # Lets a tape see the variable.
    try:
      handle = value.handle
    except ValueError:  # Outside of all replicas, where Keras traces a model for its shapes.
      return tf.gather_nd(whole, index)
    if index.shape[-1] == 1:
      return tf.raw_ops.ResourceGather(
          resource=handle, indices=index[:, 0], dtype=value.dtype
      )
    return tf.raw_ops.ResourceGatherNd(resource=handle, indices=index, dtype=value.dtype)

  def write(variable, index, values):
    """Overwrites rows, each given once.

    Args:
      variable: keras.Variable, or the backend's own, [n0, n1, ...].
      index: int32 [rows, k], k leading indices each.
      values: [rows, ...].
    """
    value = _native(variable)
    if index.shape[-1] == 1:
      tf.raw_ops.ResourceScatterUpdate(
          resource=value.handle, indices=index[:, 0], updates=values
      )
    else:
      tf.raw_ops.ResourceScatterNdUpdate(ref=value.handle, indices=index, updates=values)

  def select(gradient, mask):
    """The rows of a gradient that a mask selects.

    Args:
      gradient: Tensor [n, ...], or the tf.IndexedSlices that `read` gives.
      mask: bool [n].

    Returns:
      (rows, values): int32 [k], and [k, ...]; 0 for a row that the gradient does not hold.
    """
    if not isinstance(gradient, tf.IndexedSlices):
      rows = tf.cast(tf.where(mask)[:, 0], tf.int32)
      return rows, tf.gather(gradient, rows)
    held = tf.cast(gradient.indices, tf.int32)
    rows, place = tf.unique(tf.concat([held, tf.cast(tf.where(mask)[:, 0], tf.int32)], axis=0))
    place = place[:tf.size(held)]
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    kept = tf.where(tf.gather(mask, rows))[:, 0]
    return tf.gather(rows, kept), tf.gather(values, kept)

  def _native(variable):
    return variable.value if isinstance(variable, keras.Variable) else variable

elif keras.backend.backend() == "jax":

  def read(variable, index):
    """Gathers rows of a variable."""
    return variable.value[_place(index)]

  def write(variable, index, values):
    """Overwrites rows of a variable."""
    variable.assign(variable.value.at[_place(index)].set(values))

  def select(gradient, mask):
    """As `masked`: here the number of rows must not depend on the mask."""
    return masked(gradient, mask)

else:
  import torch

  def read(variable, index):
    """Gathers rows of a variable."""
    return variable.value[_place(index)]

  def write(variable, index, values):
    """Overwrites rows of a variable."""
    with torch.no_grad():
      variable.value[_place(index)] = values

  def select(gradient, mask):
    """The rows of a gradient that a mask selects, and their values."""
    rows = torch.nonzero(mask)[:, 0]
    return rows, gradient[rows]


def masked(gradient, mask):
  """All rows of a gradient, 0 where a mask is False, in a shape that XLA compiles.

  Args:
    gradient: Tensor [n, ...], or the rows that `read` gives.
    mask: bool [n].

  Returns:
    (None, values): None stands for all rows; [n, ...].
  """
  gradient = ops.convert_to_tensor(gradient, sparse=False)
  mask = ops.reshape(mask, [-1] + [1] * (len(gradient.shape) - 1))
  return None, ops.where(mask, gradient, 0)


def _place(index):
  """Leading indices, an array for each axis."""
  return tuple(index[:, axis] for axis in range(index.shape[-1]))
