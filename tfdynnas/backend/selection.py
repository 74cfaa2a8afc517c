"""Selects the Backend of this process."""

import keras

from tfdynnas import errors


def select():
  """Makes the Backend for `keras.backend.backend()`.

  Returns:
    contract.Backend.

  Raises:
    InputError: There is no Backend for it.
  """
  name = keras.backend.backend()
  if name == "tensorflow":
    from tfdynnas.backend.tensorflow import backend
    return backend.TensorFlow()
  if name == "jax":
    from tfdynnas.backend.jax import backend
    return backend.JAX()
  if name == "torch":
    from tfdynnas.backend.torch import backend
    return backend.Torch()
  raise errors.InputError(f"KERAS_BACKEND must be tensorflow, jax or torch. Received: {name}")
