"""Layers with names and with initial weights of their own, for networks of one arch."""

import keras

from tfdynnas import errors
from tfdynnas.supernet import initializers
from tfdynnas.supernet import normalization

# `running` trains through the fused kernel; `keras` is Keras' own layer with the same weights, for
# a model that must load where this package is not installed.
STATISTICS = {
    "batch": normalization.BatchStatistics,
    "running": lambda scaled, name: normalization.RunningStatistics(name=name),
    "keras": lambda scaled, name: keras.layers.BatchNormalization(
        momentum=normalization.MOMENTUM, epsilon=normalization.EPSILON, name=name
    ),
}


def spelled(name):
  """A name as the backend takes it: PyTorch has no dots in the names of parameters."""
  return name.replace(".", "_") if keras.backend.backend() == "torch" else name


class NamedLayers:
  """Makes named layers, each with initial weights of its own seed."""

  def __init__(self, statistics, seed, dropout=0.0):
    """Begins a network.

    Args:
      statistics: Normalisation, one of STATISTICS.
      seed: int >= 0, of the initial weights and of dropout.
      dropout: float in [0, 1), share of the features that a training step leaves out.

    Raises:
      InputError: There is no such normalisation.
    """
    if statistics not in STATISTICS:
      raise errors.InputError(
          f"`statistics` is one of {tuple(STATISTICS)}. Received: {statistics!r}"
      )
    self._statistics, self._seed = STATISTICS[statistics], seed * 10007
    self._dropout = dropout

  def _initial(self, fan_in):
    self._seed += 1
    return initializers.uniform(fan_in, self._seed)

  def conv(self, name, images, channels, window, **kwargs):
    """A convolution without bias."""
    kernel = self._initial(window * window * images.shape[-1])
    kwargs = {"padding": "same", **kwargs}
    return keras.layers.Conv2D(
        channels, window, use_bias=False, kernel_initializer=kernel, name=name, **kwargs
    )(images)

  def depthwise(self, name, images, window, **kwargs):
    """A convolution of each channel on its own, without bias."""
    kernel = self._initial(window * window)
    return keras.layers.DepthwiseConv2D(
        window, use_bias=False, depthwise_initializer=kernel, name=name, **kwargs
    )(images)

  def normalize(self, prefix, images, scaled=False):
    """A normalisation; that by running statistics has a scale in any case."""
    return self._statistics(scaled, name=f"{prefix}_norm")(images)

  def dense(self, features, classes):
    """The classifier, after dropout if there is any."""
    fan_in = features.shape[-1]
    if self._dropout:
      features = keras.layers.Dropout(self._dropout, seed=self._seed, name="dropout")(features)
    return keras.layers.Dense(
        classes, name="dense", kernel_initializer=self._initial(fan_in),
        bias_initializer=self._initial(fan_in),
    )(features)
