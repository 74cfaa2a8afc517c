"""Recalibration: the running statistics of a network measured anew on a fixed sample.

Source: the published searches on MobileNet supernets, which measure them for each subnet.
"""

import keras

from tfdynnas import errors

_BATCH = 256  # Images whose statistics are measured at once, at most.


def recalibrate(model, batches):
  """Sets the running statistics of each normalisation to their mean over batches, in place.

  A network with inherited weights has no statistics yet, and those of a network with averaged
  weights belong to other weights.

  Args:
    model: keras.Model, built, normalised images -> logits.
    batches: Iterable of float32 [batch, height, width, 3], normalised, of equal size.
  """
  layers = [
      layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
  ]
  momenta = [layer.momentum for layer in layers]
  try:
    for number, images in enumerate(batches):
      for layer in layers:
        layer.momentum = number / (number + 1)  # The mean of all batches so far.
      model(images, training=True)
  finally:
    for layer, momentum in zip(layers, momenta):
      layer.momentum = momentum


def batches(images):
  """Cuts a sample of images into batches for `recalibrate`.

  Args:
    images: float [n, height, width, 3], n >= 2.

  Yields:
    Batches of equal size, at most 256 images each; a remainder is left out.

  Raises:
    InputError: Fewer than two images.
  """
  if len(images) < 2:
    raise errors.InputError(f"Statistics need >= 2 images. Received: {len(images)}")
  size = min(len(images), _BATCH)
  for start in range(0, len(images) - size + 1, size):
    yield images[start:start + size]
