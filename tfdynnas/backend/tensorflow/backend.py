"""TensorFlow as a Backend."""

import keras
import numpy as np
import tensorflow as tf

from tfdynnas.backend import contract
from tfdynnas.backend.tensorflow import devices
from tfdynnas.backend.tensorflow import gradients
from tfdynnas.backend.tensorflow import loop
from tfdynnas.backend.tensorflow import workers


class TensorFlow(contract.Backend):
  """Switches run as graphs; several devices and several processes train together."""

  name = "tensorflow"
  # XLA compiles every branch of every switch, and its steps are slower.
  jit_compile = False

  agree = staticmethod(workers.agree)
  beat = staticmethod(workers.beat)
  check_compile = staticmethod(devices.check_compile)
  differentiate = staticmethod(gradients.differentiate)
  held_scope = staticmethod(workers.held_scope)
  make_deterministic = staticmethod(devices.make_deterministic)
  make_strategy = staticmethod(devices.make_strategy)
  make_workers = staticmethod(workers.Workers)
  path_gradient = staticmethod(gradients.path_gradient)
  peak_device_bytes = staticmethod(devices.peak_device_bytes)
  replicas = staticmethod(devices.replicas)
  runner = staticmethod(loop.runner)
  share = staticmethod(workers.share)
  shorten_first_step = staticmethod(devices.shorten_first_step)
  timed = staticmethod(loop.timed)
  together = staticmethod(workers.together)

  def batches(self, feed):
    """Datasets: Keras' `fit` reads them."""
    return feed.batches

  def compiled(self, function, variables):
    """A tf.function, which sees the variables by itself."""
    del variables
    return tf.function(function, autograph=False, reduce_retracing=False)

  def train_step(self, method, supernet, batch):
    """One step; the optimizer is built before `tell`, while Keras would build it later."""
    if not supernet.optimizer.built:
      with tf.init_scope():
        supernet.optimizer.build(supernet.trainable_variables)
    return method.step(supernet, batch)

  def scope_of(self, model):
    """The scope of the model's strategy."""
    return model.distribute_strategy.scope()

  def boards(self, folder):
    """One callback, which does not write the graph."""
    return [keras.callbacks.TensorBoard(str(folder), write_graph=False)]

  def known(self, value):
    """The value of anything but a symbolic tensor."""
    if not tf.is_tensor(value):
      return np.asarray(value)
    value = tf.convert_to_tensor(value)
    return None if tf.is_symbolic_tensor(value) else value.numpy()
