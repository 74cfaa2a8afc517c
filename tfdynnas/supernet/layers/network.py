"""The network of one arch of a layer space, as a plain Keras model of named layers."""

import dataclasses

import keras

from tfdynnas.supernet import named_layers


def layer_network(
    space, arch, statistics="running", seed=0, live_only=False, dropout=0.0, scaled=False
):
  """Builds the network of one arch.

  Args:
    space: spaces.LayerSpace.
    arch: Sequence of ints, one per decision.
    statistics: Normalisation, one of named_layers.STATISTICS.
    seed: int >= 0, of the initial weights.
    live_only: No effect: every layer is live.
    dropout, scaled: As for networks.plain_network.

  Returns:
    keras.Model, normalised images float [batch, height, width, 3] -> logits [batch, classes].

  Raises:
    InputError: The arch is not of this space, or no such normalisation.
  """
  del live_only
  blocks, skeleton = space.chosen(arch), space.skeleton
  make = _Layers(statistics, seed, dropout)
  images = keras.Input(skeleton.image_shape, name="image")
  features = make.begin(skeleton, images)
  for block, layer in zip(blocks, skeleton.layers):
    if block.expansion:
      features = make.block(block, layer, features, scaled)
  return keras.Model(images, make.end(skeleton, features), name=f"{space.name}_subnet")


def block_chain(layer, block, times):
  """Builds a chain of one block of a layer.

  Args:
    layer: spaces.layers.Layer; with `times` > 1 one that keeps its shape.
    block: spaces.Block that expands; None makes an empty network.
    times: int >= 1.

  Returns:
    keras.Model, float [batch, *size, inputs] -> float [batch, *output_size, outputs].
  """
  images = features = keras.Input((*layer.size, layer.inputs))
  if block is None:
    return keras.Model(images, keras.layers.Identity()(images))
  make = _Layers("keras", 0)
  for number in range(times):
    features = make.block(block, dataclasses.replace(layer, name=str(number)), features)
  return keras.Model(images, features)


class _Layers(named_layers.NamedLayers):
  """Makes the layers of inverted residual blocks."""

  def begin(self, skeleton, images):
    """Stem and first block."""
    stem = self.conv(
        "stem_conv", _padded(images, 3), skeleton.stem, 3, strides=skeleton.stem_stride,
        padding="valid",
    )
    return self.filtered("first", self.active("stem", stem), 3, 1, skeleton.first)

  def end(self, skeleton, features):
    """Last convolution, pool and classifier."""
    features = self.active("last", self.conv("last_conv", features, skeleton.last, 1))
    features = keras.layers.GlobalAveragePooling2D(name="features")(features)
    return self.dense(features, skeleton.classes)

  def active(self, prefix, images):
    """Normalisation and ReLU6."""
    return keras.layers.ReLU(6.0, name=f"{prefix}_relu")(self.normalize(prefix, images))

  def filtered(self, prefix, images, window, stride, channels, scaled=False):
    """Depthwise convolution, then projection, which is linear."""
    depthwise = f"{prefix}_depthwise"
    images = self.depthwise(depthwise, _padded(images, window), window, strides=stride)
    images = self.conv(f"{prefix}_project", self.active(depthwise, images), channels, 1)
    return self.normalize(f"{prefix}_project", images, scaled)

  def block(self, block, layer, features, scaled=False):
    """A block; its input is added where it keeps the shape."""
    name = named_layers.spelled(f"layer{layer.name}")
    expand = f"{name}_expand"
    wide = self.conv(expand, features, block.expansion * layer.inputs, 1)
    result = self.filtered(
        name, self.active(expand, wide), block.window, layer.stride, layer.outputs,
        scaled and layer.keeps_shape,
    )
    return features + result if layer.keeps_shape else result


def _padded(images, window):
  """Zeros on all sides, as PyTorch pads; with a stride, `same` has them at the end alone."""
  return keras.layers.ZeroPadding2D(window // 2)(images)
