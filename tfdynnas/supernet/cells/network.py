"""The network of one arch of a cell space, as a plain Keras model of named layers."""

import keras

from tfdynnas.supernet import named_layers


def edge_name(stage, cell, number):
  """Prefix of the layers of one edge."""
  return f"stage{stage}_cell{cell}_edge{number}"


def reduce_names(stage):
  """Names of the convolutions of the residual block before a stage: first, second, shortcut."""
  return tuple(f"stage{stage}_reduce_{part}" for part in ("a", "b", "shortcut"))


def cell_network(space, arch, statistics="running", seed=0, live_only=False, dropout=0.0):
  """Builds the network of one arch.

  Args:
    space: spaces.CellSpace.
    arch: Sequence of ints, one per decision.
    statistics: Normalisation, one of named_layers.STATISTICS.
    seed: int >= 0, of the initial weights.
    live_only: Leave out edges that do not change the logits. Their weights count as `params`.
    dropout: As for networks.plain_network.

  Returns:
    keras.Model, normalised images float [batch, height, width, 3] -> logits [batch, classes].

  Raises:
    InputError: The arch is not of this space, or no such normalisation.
  """
  arch = space.validate(arch)
  make = _Layers(statistics, seed, dropout)

  def cell(stage, number, features):
    return _cell(make, space, arch, stage, number, features, live_only)

  return _around(make, space, cell)


def operation_chain(space, stage, operation, times):
  """Builds a chain of one operation of a stage.

  Args:
    space: spaces.CellSpace.
    stage: int, the stage whose shape the images have.
    operation: spaces.Operation; None adds the chain's input, as a node adds its edges.
    times: int >= 1.

  Returns:
    keras.Model, float [batch, height, width, channels] -> the same shape.
  """
  make, skeleton = _Layers("keras", 0), space.skeleton
  shape = *skeleton.stage_sizes[stage], skeleton.stage_channels[stage]
  images = features = keras.Input(shape)
  for number in range(times):
    if operation is None:
      features = features + images
    else:
      features = make.operation(f"operation{number}", operation, features)
  return keras.Model(images, features)


def _around(make, space, cell):
  """Builds stem, residual blocks and classifier around cells: (stage, number, images) -> images."""
  skeleton = space.skeleton
  channels = skeleton.stage_channels
  images = keras.Input(skeleton.image_shape, name="image")
  features = make.normalize("stem", make.conv("stem_conv", images, channels[0], 3))
  for stage, width in enumerate(channels):
    if stage:
      features = make.reduce(stage, features, width)
    for number in range(skeleton.cells):
      features = cell(stage, number, features)
  features = keras.layers.ReLU()(make.normalize("last", features))
  features = keras.layers.GlobalAveragePooling2D(name="features")(features)
  return keras.Model(images, make.dense(features, skeleton.classes), name=f"{space.name}_subnet")


def _cell(make, space, arch, stage, cell, features, live_only):
  """Adds one cell: each node is the sum of its edges."""
  live = space.live(arch)
  totals = {0: features}
  for number, (source, target) in enumerate(space.edges):
    if (live_only and not live[number]) or source not in totals:
      continue
    operation = space.operations[arch[number]]
    result = make.operation(edge_name(stage, cell, number), operation, totals[source])
    totals[target] = totals[target] + result if target in totals else result
  if space.nodes - 1 in totals:
    return totals[space.nodes - 1]
  return make.nothing(edge_name(stage, cell, "s"), features)  # No way through: zeros.


class _Layers(named_layers.NamedLayers):
  """Makes the layers of cells."""

  def nothing(self, name, images):
    """Zeros, which keep the place of the literature's `none` in the graph."""
    return keras.layers.Rescaling(0.0, name=name)(images)

  def operation(self, name, operation, images):
    """The operation of an edge."""
    if operation.kind == "zero":
      return self.nothing(name, images)
    if operation.kind == "identity":
      return keras.layers.Identity(name=name)(images)
    if operation.kind == "conv":
      active = keras.layers.ReLU(name=f"{name}_relu")(images)
      active = self.conv(f"{name}_conv", active, images.shape[-1], operation.window)
      return self.normalize(name, active)
    pool = {"avg_pool": keras.layers.AveragePooling2D, "max_pool": keras.layers.MaxPooling2D}
    return pool[operation.kind](operation.window, 1, padding="same", name=name)(images)

  def reduce(self, stage, features, channels):
    """Residual block of stride 2. Padded as PyTorch pads: by 1 on all sides."""
    first, second, shortcut = reduce_names(stage)
    padded = keras.layers.ZeroPadding2D(1)(keras.layers.ReLU()(features))
    main = self.conv(first, padded, channels, 3, strides=2, padding="valid")
    main = keras.layers.ReLU()(self.normalize(first, main))
    main = self.normalize(second, self.conv(second, main, channels, 3))
    pooled = keras.layers.AveragePooling2D(2, 2)(features)
    return main + self.conv(shortcut, pooled, channels, 1)
