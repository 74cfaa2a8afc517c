"""Number of steps in an epoch of Keras' `fit`."""

from keras import tree

KERAS_BATCH = 32  # Keras' default.


def steps(x, batch_size=None, steps_per_epoch=None, validation_split=0.0):
  """Steps of an epoch, before Keras has looked at the data.

  Args:
    x: What `fit` takes: arrays, tf.data.Dataset, keras.utils.PyDataset, DataLoader or generator.
    batch_size: int, for arrays; None: Keras' default.
    steps_per_epoch: int, if it was given.
    validation_split: float, share of the arrays that is kept for validation.

  Returns:
    int >= 1, or None if it is unknown, as for a generator.
  """
  if steps_per_epoch:
    return steps_per_epoch
  leaves = tree.flatten(x)
  if leaves and all(getattr(leaf, "shape", None) for leaf in leaves):
    count = int(leaves[0].shape[0] * (1 - validation_split))
    return -(-count // (batch_size or KERAS_BATCH)) or None
  try:
    return len(x) or None
  except TypeError:
    return None  # A generator, or a Dataset without end.
