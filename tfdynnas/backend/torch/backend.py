"""PyTorch as a Backend, for a supernet's own `fit`; runs and tools do not support it."""

import keras
import numpy as np
import torch

from tfdynnas import errors
from tfdynnas.backend import contract
from tfdynnas.backend.torch import gradients


def _refuse(*args, **kwargs):
  """Refuses an operation that only run directories need."""
  raise errors.InputError(
      "Runs, their loop and tools need KERAS_BACKEND=tensorflow or jax; torch has the supernet "
      "and its `fit`, CaLR and MS. Received: torch"
  )


class Torch(contract.Backend):
  """One process on one device; nothing is compiled."""

  name = "torch"
  jit_compile = False

  differentiate = staticmethod(gradients.differentiate)
  filled = staticmethod(gradients.filled)
  path_gradient = staticmethod(gradients.path_gradient)

  agree = batches = beat = boards = devices_of = held_scope = staticmethod(_refuse)
  make_deterministic = make_strategy = make_workers = peak_device_bytes = staticmethod(_refuse)
  runner = share = timed = together = staticmethod(_refuse)

  def compiled(self, function, variables):
    """The function itself."""
    del variables
    return function

  def known(self, value):
    """The value of a tensor; shapes alone are traced on the device `meta`."""
    value = keras.ops.convert_to_tensor(value) if isinstance(value, keras.Variable) else value
    if torch.is_tensor(value):
      return None if value.is_meta else value.numpy(force=True)
    return np.asarray(value)

  @torch.no_grad()
  def train_step(self, method, supernet, batch):
    """One step; the optimizer is built before `tell`, while Keras would build it later."""
    if not supernet.optimizer.built:
      supernet.optimizer.build(supernet.trainable_variables)
    return method.step(supernet, batch)
