"""JAX as a Backend."""

import jax
import keras
import numpy as np

from tfdynnas.backend import contract
from tfdynnas.backend.jax import devices
from tfdynnas.backend.jax import gradients
from tfdynnas.backend.jax import loop


class JAX(contract.Backend):
  """One process; several devices compute the same as one."""

  name = "jax"

  differentiate = staticmethod(gradients.differentiate)
  make_deterministic = staticmethod(devices.make_deterministic)
  make_strategy = staticmethod(devices.make_strategy)
  path_gradient = staticmethod(gradients.path_gradient)
  peak_device_bytes = staticmethod(devices.peak_device_bytes)
  runner = staticmethod(loop.runner)

  def batches(self, feed):
    """Positions of images that lie on the device: many steps run in one call.

    Raises:
      InputError: The images are not held.
    """
    feed.check_held()
    return feed.held_steps

  def compiled(self, function, variables):
    """A jitted function; JAX would freeze the variables' values, so they come as arguments."""

    @jax.jit
    def pure(values, *args):
      with keras.StatelessScope(state_mapping=list(zip(variables, values))):
        return function(*args)

    return lambda *args: pure([variable.value for variable in variables], *args)

  def devices_of(self, strategy):
    """Number of devices that share a batch, int."""
    return strategy.devices

  def known(self, value):
    """The value of anything but a tracer."""
    value = value.value if isinstance(value, keras.Variable) else value
    return None if isinstance(value, jax.core.Tracer) else np.asarray(value)

  def train_step(self, method, supernet, state, batch):
    """One step, a pure function of state and batch.

    Args:
      method: methods.Method.
      supernet: supernet.Supernet, compiled, its optimizer built.
      state: Values of `loop.carried`, in the same lists.
      batch: What the data set yields.

    Returns:
      (logs, state): dict, metric name -> value; the new state.
    """
    variables = loop.carried(supernet)
    pairs = [pair for kind in zip(variables, state) for pair in zip(*kind)]
    with keras.StatelessScope(state_mapping=pairs) as scope:
      logs = method.step(supernet, batch)
    return logs, tuple([scope.get_current_value(v) for v in kind] for kind in variables)
