"""The supernet's body for layer spaces: a chain of layers that switch between blocks.

Source: the single path MobileNet supernets that were published around "Subnet-Aware Dynamic
Supernet Training" (CVPR 2025): each choice of each layer has weights of its own.
"""

import dataclasses
import functools
import itertools

import numpy as np
from keras import ops

from tfdynnas.backend import control_flow
from tfdynnas.backend import convolution
from tfdynnas.backend import variable_rows
from tfdynnas.supernet import named_layers
from tfdynnas.supernet import normalization


class LayerBody:
  """Weights and features of a layer space.

  Layers of one shape share an array per shape of kernel, with a row for each layer and block: for
  MobileNets 110 weights in place of 378.
  """

  def __init__(self, space, add):
    """Makes the weights.

    Args:
      space: spaces.LayerSpace.
      add: Callable (name, shape, fan_in) -> weight.
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
    self._runs = [_Run(space, [place for place, _ in alike], add) for _, alike in shapes]
    inputs = skeleton.layers[-1].outputs
    self._last = add("last", (1, 1, inputs, skeleton.last), inputs)

  @property
  def owners(self):
    """dict, path of a weight with a row per choice -> (decisions, choices), int32 [rows] each."""
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
    """Yields (layer name, weights) of the layers of a subnet that have trained weights here."""
    yield "stem_conv", [self._stem]
    yield from zip(("first_depthwise", "first_project"), ([part] for part in self._first))
    for run in self._runs:
      yield from run.inherited(arch)
    yield "last_conv", [self._last]


class _Run:
  """Layers of one shape, one after the other, traced once."""

  def __init__(self, space, places, add):
    """Makes their weights.

    Args:
      space: spaces.LayerSpace.
      places: Decisions of the layers, ascending ints.
      add: As for LayerBody.
    """
    self._places, self._layer = places, space.skeleton.layers[places[0]]
    self._names = [space.skeleton.layers[place].name for place in places]
    self._blocks, self._traced = space.blocks_of(places[0]), {}
    layer = self._layer
    self._weights = {}
    for key in dict.fromkeys(key for block in self._blocks for key in _keys(block)):
      shape, fan_in = _kernel(key, layer)
      name = named_layers.spelled(f"layers{self._names[0]}_{'_'.join(map(str, key))}")
      count = len(places) * len(self._takers(key))
      self._weights[key] = add(name, (count, *shape), fan_in)

  def _takers(self, key):
    """Choices with a kernel of a key, ints: one row each, in every layer."""
    return [number for number, block in enumerate(self._blocks) if key in _keys(block)]

  def owners(self):
    """As LayerBody.owners."""
    found = {}
    for key, weight in self._weights.items():
      takers = np.array(self._takers(key), np.int32)
      decisions = np.repeat(np.array(self._places, np.int32), len(takers))
      found[weight.path] = decisions, np.tile(takers, len(self._places))
    return found

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
    """Kernels of a key, one per layer; another block's where the chosen one has none."""
    takers = self._takers(key)
    if len(takers) == 1:
      return ops.unstack(ops.cast(self._weights[key], dtype))
    copy = [takers.index(number) if number in takers else 0 for number in range(len(self._blocks))]
    first = np.arange(len(self._places), dtype=np.int32) * len(takers)
    index = ops.add(ops.take(np.array(copy, np.int32), chosen), first)
    found = variable_rows.read(self._weights[key], ops.expand_dims(index, 1))
    return ops.unstack(ops.cast(found, dtype))

  def _run_layer(self, reference, features, choice, *kernels):
    """One layer: the chosen block alone."""
    normalize = functools.partial(normalization.by_batch, reference=reference)
    keys = tuple(self._weights)

    def branch(block):
      def run(images, *kernels):
        if not block.expansion:
          return images
        own = dict(zip(keys, kernels))
        expand, depthwise, project = (own[key] for key in _keys(block))
        wide = ops.relu6(normalize(convolution.conv(images, expand)))
        result = _filtered(normalize, wide, depthwise, project, self._layer.stride)
        return images + result if self._layer.keeps_shape else result

      return run

    return control_flow.switch(
        choice, [branch(block) for block in self._blocks], features, *kernels
    )

  def inherited(self, arch):
    """As LayerBody.inherited."""
    for number, (name, place) in enumerate(zip(self._names, self._places)):
      keys = _keys(self._blocks[arch[place]])
      for part, key in zip(("expand", "depthwise", "project"), keys):
        takers = self._takers(key)
        row = number * len(takers) + takers.index(arch[place])
        kernel = ops.convert_to_numpy(self._weights[key])[row]
        yield named_layers.spelled(f"layer{name}_{part}"), [kernel]


def _keys(block):
  """Keys of a block's kernels; in layers of one shape, equal keys mean equal shapes."""
  if not block.expansion:
    return ()
  ratio, window = block.expansion, block.window
  return ("expand", ratio), ("depthwise", ratio, window), ("project", ratio)


def _kernel(key, layer):
  """(shape, fan in) of a kernel."""
  part, ratio, *window = key
  hidden = ratio * layer.inputs
  if part == "expand":
    return (1, 1, layer.inputs, hidden), layer.inputs
  if part == "project":
    return (1, 1, hidden, layer.outputs), hidden
  return (*window, *window, hidden, 1), window[0] ** 2


def _filtered(normalize, images, depthwise, project, stride):
  """Depthwise convolution, then projection, which is linear."""
  padded = _padded(images, depthwise.shape[0])
  images = ops.depthwise_conv(padded, depthwise, strides=stride, padding="valid")
  images = ops.relu6(normalize(images))
  return normalize(convolution.conv(images, project))


def _padded(images, window):
  """Zeros on all sides, as PyTorch pads."""
  rim = [window // 2] * 2
  return ops.pad(images, [[0, 0], rim, rim, [0, 0]])
