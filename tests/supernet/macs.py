"""Multiply-accumulates of a Keras model, counted from its layers as they were built."""

import keras
import numpy as np


def of_layers(model):
  """int: of each convolution its kernel's weights at each pixel of its output; of a Dense once."""
  total = 0
  for layer in model.layers:
    if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
      total += int(np.prod(layer.kernel.shape)) * int(np.prod(layer.output.shape[1:3]))
    elif isinstance(layer, keras.layers.Dense):
      total += int(np.prod(layer.kernel.shape))
  return total
