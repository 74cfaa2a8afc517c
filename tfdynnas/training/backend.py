"""What the back end in use brings: one file each, and nothing else branches on it."""

import keras

from tfdynnas import errors

if keras.backend.backend() == "tensorflow":
  from tfdynnas.training.on_tensorflow import check_compile
  from tfdynnas.training.on_tensorflow import compiled
  from tfdynnas.training.on_tensorflow import make_deterministic
  from tfdynnas.training.on_tensorflow import make_strategy
  from tfdynnas.training.on_tensorflow import path_gradient
  from tfdynnas.training.on_tensorflow import shorten_first_step
  from tfdynnas.training.on_tensorflow import train_step
else:

  def check_compile(settings):
    """Refuses nothing."""


  def shorten_first_step():
    """Does nothing: this back end has no such optimisations."""

  def train_step(method, supernet, *args):
    """Refuses: there is no train step for this back end."""
    raise errors.InputError(
        "`fit` of a supernet needs KERAS_BACKEND=tensorflow. "
        f"Received: {keras.backend.backend()}"
    )
