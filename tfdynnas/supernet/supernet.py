"""The supernet of a cell space: one network that holds every subnet and runs the chosen one.

Source: NAS-Bench-201 supernets with a single path (Guo et al., SPOS, ECCV 2020).
"""

import functools

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import rows
from tfdynnas.spaces import cells
from tfdynnas.supernet import edge
from tfdynnas.supernet import control_flow
from tfdynnas.supernet import initial
from tfdynnas.supernet import network
from tfdynnas.supernet import normalization
from tfdynnas.supernet import routing


@keras.saving.register_keras_serializable("tfdynnas")
class Supernet(keras.Model):
  """Every subnet of a cell space, sharing weights; one compiled graph runs any of them.

  An ordinary Keras model: `compile` takes the `method` that says what a training step does
  (tfdynnas.training.SinglePath), `evaluate` and `predict` run the arch that `choose` set.

  The convolutions of a stage lie in one array per window, [cells * edges * copies, window, window,
  channels, channels]: 15 weights in all instead of 189, which makes an optimizer's update a few
  large kernels and lets the step touch the chosen rows alone.
  """

  def __init__(self, space, seed=0, **kwargs):
    """Makes the weights.

    Args:
      space: spaces.CellSpace.
      seed: int >= 0, of the initial weights.
      **kwargs: name, dtype: as for any Keras model.
    """
    super().__init__(**kwargs)
    self.space, self.seed = space, seed
    self.method = self.method_state = None
    self._routing = routing.Routing(space)
    self._cells = {}  # One traced function per `reference`.
    self._add_weights(space.skeleton, len(space.edges))
    self.built = True

  def _add_weights(self, skeleton, edges):
    channels = skeleton.stage_channels
    self._stem = self._add_kernel("stem", 3, 3, channels[0])
    self._reduce, self._kernels = [], []
    for stage, width in enumerate(channels):
      if stage:
        before = channels[stage - 1]
        self._reduce.append((
            self._add_kernel(f"stage{stage}_reduce_a", 3, before, width),
            self._add_kernel(f"stage{stage}_reduce_b", 3, width, width),
            self._add_kernel(f"stage{stage}_shortcut", 1, before, width),
        ))
      self._kernels.append({
          window: self._add_kernel(
              f"stage{stage}_conv{window}x{window}", window, width, width,
              rows=skeleton.cells * edges * self._routing.copies[window],
          )
          for window in self._routing.windows
      })
    shape = (channels[-1], skeleton.classes)
    self._dense = self._add("dense_kernel", shape, channels[-1])
    self._bias = self._add("dense_bias", shape[1:], channels[-1])
    self.arch = self.add_weight(
        name="arch", shape=(len(self.space.decisions),), dtype="int32", trainable=False,
        initializer=lambda shape, dtype: ops.cast(self.space.largest(), dtype),
        aggregation="only_first_replica",
    )

  def _add_kernel(self, name, window, inputs, outputs, rows=None):
    shape = (window, window, inputs, outputs)
    return self._add(name, shape if rows is None else (rows, *shape), window * window * inputs)

  def _add(self, name, shape, fan_in):
    """Adds a weight, its initial values drawn from the seed and its place in the list."""
    seed = int(np.random.SeedSequence([self.seed, len(self.weights)]).generate_state(1)[0] >> 1)
    return self.add_weight(name=name, shape=shape, initializer=initial.uniform(fan_in, seed))

  def choose(self, arch):
    """Sets the arch that `call`, `evaluate` and `predict` run when none is given."""
    self.arch.assign(np.array(self.space.validate(arch), np.int32))

  def call(self, images, arch=None, training=None, reference=None):
    """Logits of one subnet.

    Args:
      images: float [batch, height, width, 3], normalised.
      arch: int32 [decisions], a tensor or a sequence; None stands for the one `choose` set.
      training: Ignored: normalisation is by batch statistics always.
      reference: int; take the statistics of the first `reference` images alone, so that the logits
        of the others do not depend on one another; None takes those of the whole batch.

    Returns:
      float32 [batch, classes].
    """
    arch = ops.cast(self.arch if arch is None else arch, "int32")
    branch = self._routing.branch(arch)
    normalize = functools.partial(normalization.by_batch, reference=reference)
    if reference not in self._cells:
      run = functools.partial(self._run_cell, reference)
      self._cells[reference] = control_flow.traced_once(run)

    def run_cell(features, cell):
      return self._cells[reference](features, branch, *cell)

    features = normalize(ops.conv(images, self._stem, padding="same"))
    for stage, kernels in enumerate(self._kernels):
      if stage:
        features = _reduce(features, normalize, *self._reduce[stage - 1])
      cells = list(zip(*[self._chosen(arch, *item) for item in kernels.items()]))
      features = control_flow.in_turn(run_cell, features, cells)
    features = ops.mean(ops.relu(normalize(features)), axis=[1, 2])
    return ops.cast(ops.matmul(features, self._dense) + self._bias, "float32")

  def _chosen(self, arch, window, kernel):
    """The kernels that a stage's cells use: a tuple of [window, window, c, c] for each cell.

    Where an edge has one choice of this window there is nothing to look up; where it has several,
    only the chosen rows are read, and only they get a gradient.
    """
    if self._routing.copies[window] > 1:
      kernel = rows.read(kernel, ops.expand_dims(self._routing.rows(arch, window), 1))
    kernels, edges = ops.unstack(ops.convert_to_tensor(kernel)), len(self.space.edges)
    return [tuple(kernels[at:at + edges]) for at in range(0, len(kernels), edges)]

  def _run_cell(self, reference, features, branch, *kernels):
    """One cell: nodes in order, each the sum of its edges; traced once per stage."""
    nodes = [features] + [None] * (self.space.nodes - 1)
    last = self.space.nodes - 1
    for place, (source, target) in enumerate(self.space.edges):
      own = {window: kernel[place] for window, kernel in zip(self._routing.windows, kernels)}
      nodes[target], nodes[source] = edge.switch(
          self._routing.branches, branch[place], nodes[target], nodes[source], own, target == last,
          reference,
      )
    return nodes[-1]

  def on_path(self, arch):
    """Which trainable weights belong to the choices of an arch.

    Args:
      arch: int32 [decisions] or [paths, decisions]; of several paths the union counts.

    Returns:
      List of bool tensors, one per trainable weight: [] for a weight that every subnet has,
      [rows] for the kernels of a stage. A chosen operation counts although no signal reaches it.
    """
    arch = ops.reshape(ops.cast(arch, "int32"), [-1, len(self.space.decisions)])
    masks = {}
    for kernels in self._kernels:
      masks.update((k.path, self._routing.on_path(arch, w)) for w, k in kernels.items())
    return [masks.get(v.path, ops.convert_to_tensor(True)) for v in self.trainable_variables]

  def row_decisions(self):
    """Which decision the rows of each trainable weight belong to.

    Returns:
      List per trainable weight: int array [rows] for the kernels of a stage, None for a weight that
      every subnet has.
    """
    edges, owners = len(self.space.edges), {}
    for kernels in self._kernels:
      for window, kernel in kernels.items():
        rows_of_all = np.arange(kernel.shape[0]) // self._routing.copies[window]
        owners[kernel.path] = rows_of_all % edges
    return [owners.get(v.path) for v in self.trainable_variables]

  def subnet(self, arch, statistics="batch"):
    """The network of one arch as a plain Keras model with the inherited weights.

    Args:
      arch: Sequence of ints, one per decision.
      statistics: `batch`: logits as the supernet gives them. `running`: affine normalisation with
        running statistics, ready to be trained on its own.

    Returns:
      keras.Model, normalised images -> logits.
    """
    arch = self.space.validate(arch)
    model = network.cell_network(self.space, arch, statistics, self.seed)
    for name, value in self._inherited(arch):
      model.get_layer(name).set_weights([ops.convert_to_numpy(part) for part in value])
    return model

  def _inherited(self, arch):
    """(layer name, weights) of each layer of the subnet that has trained weights here."""
    yield "stem_conv", [self._stem]
    for stage, parts in enumerate(self._reduce, start=1):
      yield from zip(network.reduce_names(stage), ([part] for part in parts))
    for stage, kernels in enumerate(self._kernels):
      values = {window: ops.convert_to_numpy(kernel) for window, kernel in kernels.items()}
      for window in values:
        used = ops.convert_to_numpy(self._routing.rows(np.array(arch, np.int32), window))
        for place, row in enumerate(used):
          cell, number = divmod(place, len(arch))
          operation = self.space.operations[arch[number]]
          if operation.kind == "conv" and operation.window == window:
            yield network.edge_name(stage, cell, number) + "_conv", [values[window][row]]
    yield "dense", [self._dense, self._bias]

  def compile(self, optimizer="rmsprop", loss=None, method=None, **kwargs):
    """Prepares for training.

    Args:
      optimizer: As for any Keras model, as is `loss`.
      loss: On logits.
      method: What a training step does, for example training.SinglePath; needed by `fit`.
      **kwargs: As for any Keras model.

    Raises:
      InputError: The method cannot be run as they say.
    """
    if method is not None:
      method.check_compile({**kwargs, "optimizer": optimizer})
    super().compile(optimizer=optimizer, loss=loss, **kwargs)
    self.method = method
    self.method_state = getattr(method, "state", None)  # A layer here, so that it is saved.

  def train_step(self, *args):
    """One step of the method that `compile` was given."""
    if self.method is None:
      raise errors.InputError(
          "`fit` needs to know which paths to train: compile(..., "
          "method=training.SinglePath(...)). Received: method=None"
      )
    return self.method.train_step(self, *args)

  def get_config(self):
    """Config for `from_config`."""
    return {**super().get_config(), "space": cells.to_config(self.space), "seed": self.seed}

  @classmethod
  def from_config(cls, config):
    """Makes the supernet of a config."""
    return cls(**{**config, "space": cells.from_config(config["space"])})

  def get_compile_config(self):
    """Config of what `compile` was given."""
    config = super().get_compile_config()
    if config:
      config["method"] = keras.saving.serialize_keras_object(self.method)
    return config

  def compile_from_config(self, config):
    """Compiles as the config says, and builds the optimizer so that its state can be loaded."""
    self.compile(**keras.saving.deserialize_keras_object(config))
    if self.optimizer is not None:
      self.optimizer.build(self.trainable_variables)


def _reduce(features, normalize, first, second, shortcut):
  """Residual block of stride 2. Padded as PyTorch pads: by 1 on all sides."""
  padded = ops.pad(ops.relu(features), [[0, 0], [1, 1], [1, 1], [0, 0]])
  main = normalize(ops.conv(padded, first, strides=2, padding="valid"))
  main = normalize(ops.conv(ops.relu(main), second, padding="same"))
  return main + ops.conv(ops.average_pool(features, 2, 2), shortcut)
