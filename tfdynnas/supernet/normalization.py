"""Normalisation: by batch statistics in the supernet, by running ones in a stand-alone network."""

import keras
import numpy as np
from keras import ops

from tfdynnas.backend import batch_normalization
from tfdynnas.supernet import single_image

EPSILON = 1e-5  # Of PyTorch, as in all published runs; Keras' default is 1e-3.
MOMENTUM = 0.9  # Share of the old running statistics that a step keeps.


def by_batch(images, reference=None, scale=None):
  """Normalises each channel by this batch's own statistics, in training and evaluation alike.

  Source: NAS-Bench-201 supernets (affine=False, track_running_stats=False).

  Args:
    images: float [batch, height, width, channels].
    reference: int; take the statistics of the first `reference` images alone; None takes all.
    scale: float [channels], which the result is multiplied by; None: 1.

  Returns:
    float, of the shape of `images`.
  """
  if reference is None:
    channels = images.shape[-1]
    scale = np.ones(channels, np.float32) if scale is None else ops.cast(scale, "float32")
    offset = np.zeros(channels, np.float32)
    return batch_normalization.batch_normalize(images, scale, offset, EPSILON)
  mean, variance = ops.moments(ops.cast(images[:reference], "float32"), axes=[0, 1, 2])
  factor = ops.rsqrt(variance + EPSILON)
  factor = factor if scale is None else factor * ops.cast(scale, "float32")
  shift = ops.cast(mean * factor, images.dtype)
  return images * ops.cast(factor, images.dtype) - shift


@keras.saving.register_keras_serializable("tfdynnas")
class BatchStatistics(keras.layers.Layer):
  """Layer form of `by_batch`; outside of training it refuses a single image.

  Args:
    scaled: Whether it has a weight, the scale; at first 1.
  """

  def __init__(self, scaled=False, **kwargs):
    super().__init__(**kwargs)
    self._scaled, self.gamma = scaled, None

  def build(self, shape):
    """Makes the scale."""
    if self._scaled:
      self.gamma = self.add_weight(name="gamma", shape=shape[-1:], initializer="ones")

  def call(self, images, training=None):
    """Normalises a batch."""
    return by_batch(images if training else single_image.refuse(images), scale=self.gamma)

  def get_config(self):
    """Config for `from_config`."""
    return {**super().get_config(), "scaled": self._scaled}


@keras.saving.register_keras_serializable("tfdynnas")
class RunningStatistics(keras.layers.BatchNormalization):
  """Affine batch normalisation with running statistics, trained through the fused kernel.

  Its weights are those of Keras' own layer, which replaces it for serving.
  """

  def __init__(self, momentum=MOMENTUM, epsilon=EPSILON, **kwargs):
    super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

  def call(self, inputs, training=None, mask=None):
    """In training normalises by the batch and moves the running statistics; else by those."""
    if not training or not self.trainable:
      return super().call(inputs, training=False, mask=mask)
    outputs, mean, variance = batch_normalization.batch_normalize(
        inputs, self.gamma, self.beta, self.epsilon, statistics=True
    )
    for running, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
      running.assign(running * self.momentum + batch * (1.0 - self.momentum))
    return outputs
