"""The supernet's body for layer spaces: a chain of layers that switch between blocks.

Source: the single path MobileNet supernets that were published around "Subnet-Aware Dynamic
Supernet Training" (CVPR 2025): each choice of each layer has weights of its own.
"""

import dataclasses
import functools
import itertools

import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.backend import control_flow
from tfdynnas.backend import convolution
from tfdynnas.backend import variable_rows
from tfdynnas.supernet import named_layers
from tfdynnas.supernet import normalization
from tfdynnas.supernet.layers import kernels as kernels_lib


class LayerBody:
  """Weights and features of a layer space.

  Layers of one shape share an array per shape of kernel, with a row for each layer and block: for
  MobileNets 110 weights in place of 378.
  """

  def __init__(self, space, add, sharing="separate", branch_scale="none"):
    """Makes the weights.

    Args:
      space: spaces.LayerSpace.
      add: Callable (name, shape, fan_in) -> weight; it begins at zero if fan_in is None.
      sharing, branch_scale: As for Supernet.

    Raises:
      InputError: The blocks do not nest, or no layer keeps its shape.
    """
    skeleton = space.skeleton
    self._space, self._stem_stride, self.channels = space, skeleton.stem_stride, skeleton.last
    self._stem = add("stem", (3, 3, 3, skeleton.stem), 27)
    self._first = (
        add("first_depthwise", (3, 3, skeleton.stem, 1), 9),
        add("first_project", (1, 1, skeleton.stem, skeleton.first), skeleton.stem),
    )
    shapes = itertools.groupby(
        enumerate(skeleton.layers), key=lambda item: dataclasses.replace(item[1], name="")
    )
    scaled = branch_scale == "zero"
    if scaled and not any(layer.keeps_shape for layer in skeleton.layers):
      raise errors.InputError(
          "`branch_scale` zero needs a layer that keeps its shape. Received: a space without one"
      )
    self._runs = [
        _Run(space, [place for place, _ in alike], add, sharing, scaled) for _, alike in shapes
    ]
    inputs = skeleton.layers[-1].outputs
    self._last = add("last", (1, 1, inputs, skeleton.last), inputs)

  @property
  def owners(self):
    """dict, path of a weight whose rows belong to choices -> the list of (decision, choices)."""
    return {path: rows for run in self._runs for path, rows in run.owners().items()}

  def __call__(self, images, arch, reference):
    """Features before the pool: float [batch, height, width, channels].

    Args:
      images: float [batch, height, width, 3].
      arch: int32 [decisions].
      reference: int or None, as for Supernet.call.
    """
    normalize = functools.partial(normalization.by_batch, reference=reference)
    stem, last, *first = [
        ops.cast(kernel, images.dtype) for kernel in (self._stem, self._last, *self._first)
    ]
    stem = ops.conv(_padded(images, 3), stem, strides=self._stem_stride, padding="valid")
    features = _filtered(normalize, ops.relu6(normalize(stem)), *first, stride=1)
    for run in self._runs:
      features = run(features, arch, reference)
    return ops.relu6(normalize(ops.conv(features, last)))

  def inherited(self, arch):
    """Yields (name of a layer, dict of its weights) for what a subnet has of the weights here."""
    yield "stem_conv", {"kernel": self._stem}
    for name, kernel in zip(("first_depthwise", "first_project"), self._first):
      yield name, {"kernel": kernel}
    for run in self._runs:
      yield from run.inherited(arch)
    yield "last_conv", {"kernel": self._last}


class _Run:
  """Layers of one shape, one after the other, traced once."""

  def __init__(self, space, places, add, sharing, scaled):
    """Makes their weights.

    Args:
      space: spaces.LayerSpace.
      places: Decisions of the layers, ascending ints.
      add, sharing, scaled: As for LayerBody, and whether a residual branch has a scale.
    """
    self._places, self._layer = places, space.skeleton.layers[places[0]]
    self._names = [space.skeleton.layers[place].name for place in places]
    self._blocks, self._traced = space.blocks_of(places[0]), {}
    self._kernels = kernels_lib.make(sharing, scaled, self._blocks, self._layer)
    self._weights = {}
    for key, part in self._kernels.parts.items():
      name = named_layers.spelled(f"layers{self._names[0]}_{'_'.join(map(str, key))}")
      count = len(places) * len(part.groups)
      self._weights[key] = add(name, (count, *part.shape), part.fan_in)

  def owners(self):
    """As LayerBody.owners."""
    return {
        weight.path: [(place, group) for place in self._places
                      for group in self._kernels.parts[key].groups]
        for key, weight in self._weights.items()
    }

  def __call__(self, features, arch, reference):
    """Output of the layers: float [batch, *output_size, outputs]."""
    if reference not in self._traced:
      run = functools.partial(self._run_layer, reference)
      self._traced[reference] = control_flow.traced_once(run)
    chosen = ops.unstack(ops.take(arch, np.array(self._places, np.int32)))
    dtype = features.dtype
    kernels = [self._chosen(ops.stack(chosen), key, dtype) for key in self._weights]
    layers = list(zip(chosen, *kernels))
    return control_flow.in_turn(
        lambda value, layer: self._traced[reference](value, *layer), features, layers
    )

  def _chosen(self, chosen, key, dtype):
    """Rows of a weight, one per layer; another block's where the chosen one has none."""
    groups = self._kernels.parts[key].groups
    if len(groups) == 1:
      return ops.unstack(ops.cast(self._weights[key], dtype))
    row = [_group(groups, number) or 0 for number in range(len(self._blocks))]
    first = np.arange(len(self._places), dtype=np.int32) * len(groups)
    index = ops.add(ops.take(np.array(row, np.int32), chosen), first)
    found = variable_rows.read(self._weights[key], ops.expand_dims(index, 1))
    return ops.unstack(ops.cast(found, dtype))

  def _run_layer(self, reference, features, choice, *rows):
    """One layer: the chosen block alone."""
    normalize = functools.partial(normalization.by_batch, reference=reference)
    keys = tuple(self._weights)

    def branch(block):
      def run(images, *rows):
        if not block.expansion:
          return images
        expand, depthwise, project, scale = self._kernels.of(block, dict(zip(keys, rows)))
        wide = ops.relu6(normalize(convolution.conv(images, expand)))
        result = _filtered(normalize, wide, depthwise, project, self._layer.stride, scale)
        return images + result if self._layer.keeps_shape else result

      return run

    return control_flow.switch(choice, [branch(block) for block in self._blocks], features, *rows)

  def inherited(self, arch):
    """As LayerBody.inherited."""
    for number, (name, place) in enumerate(zip(self._names, self._places)):
      block = self._blocks[arch[place]]
      if block.expansion:
        prefix = named_layers.spelled(f"layer{name}")
        *kernels, scale = self._kernels.of(block, self._rows(number, arch[place]))
        for part, kernel in zip(("expand", "depthwise", "project"), kernels):
          yield f"{prefix}_{part}", {"kernel": kernel}
        if scale is not None:
          yield f"{prefix}_project_norm", {"gamma": scale}

  def _rows(self, number, choice):
    """dict, key -> the row that a choice has of each weight, in a layer given by its number."""
    found = {}
    for key, part in self._kernels.parts.items():
      group = _group(part.groups, choice)
      if group is not None:
        found[key] = ops.convert_to_tensor(self._weights[key])[number * len(part.groups) + group]
    return found


def _group(groups, choice):
  """Number of the group that has a choice, or None."""
  return next((number for number, group in enumerate(groups) if choice in group), None)


def _filtered(normalize, images, depthwise, project, stride, scale=None):
  """Depthwise convolution, then projection, which is linear."""
  padded = _padded(images, depthwise.shape[0])
  images = ops.depthwise_conv(padded, depthwise, strides=stride, padding="valid")
  images = ops.relu6(normalize(images))
  return normalize(convolution.conv(images, project), scale=scale)


def _padded(images, window):
  """Zeros on all sides, as PyTorch pads."""
  rim = [window // 2] * 2
  return ops.pad(images, [[0, 0], rim, rim, [0, 0]])
