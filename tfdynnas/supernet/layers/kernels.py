"""The kernels of a layer's blocks: what is kept, which blocks have it, how it makes a kernel.

`separate`: each block has kernels of its own. `shared`: a block has the middle of the largest
window and the first channels of the largest expansion, as in "Once-for-All" (Cai et al., ICLR
2020), without that paper's matrices between windows.
"""

import dataclasses
import itertools

from keras import ops

from tfdynnas import errors
from tfdynnas.supernet import nesting


@dataclasses.dataclass(frozen=True)
class Part:
  """A weight of a layer, with a row for each group of choices.

  Attributes:
    shape: Tuple of ints, of one row.
    fan_in: Inputs of one output of the kernel that it is of; None: the weight begins at zero.
    groups: Tuple of tuples of ints: the choices that have each row.
  """

  shape: tuple[int, ...]
  fan_in: int | None
  groups: tuple[tuple[int, ...], ...]


def make(sharing, scaled, blocks, layer):
  """The kernels of a layer's blocks.

  Args:
    sharing: One of nesting.SHARINGS.
    scaled: Whether a residual branch has a scale per channel, at first zero.
    blocks: Choices of the layer, spaces.Block.
    layer: spaces.layers.Layer.

  Returns:
    Separate or Shared.

  Raises:
    InputError: The choices do not nest.
  """
  return (Shared if sharing == "shared" else Separate)(blocks, layer, scaled and layer.keeps_shape)


class Separate:
  """Kernels of each block's own.

  Attributes:
    parts: dict, key -> Part. Layers of one shape have equal ones.
  """

  def __init__(self, blocks, layer, scaled):
    """As for `make`."""
    self._scaled, self.parts = scaled, {}
    for key in dict.fromkeys(key for block in blocks for key in self._keys(block)):
      takers = [number for number, block in enumerate(blocks) if key in self._keys(block)]
      self.parts[key] = Part(*_shape(key, layer), tuple((number,) for number in takers))

  def _keys(self, block):
    """Keys of what a block has; in layers of one shape, equal keys mean equal shapes."""
    if not block.expansion:
      return ()
    ratio, window = block.expansion, block.window
    keys = ("expand", ratio), ("depthwise", ratio, window), ("project", ratio)
    return keys + ((("scale",),) if self._scaled else ())

  def of(self, block, rows):
    """The kernels of a block.

    Args:
      block: spaces.Block that expands.
      rows: dict, key -> the row of its part that the block has.

    Returns:
      (expand, depthwise, project, scale): float [1, 1, inputs, hidden],
      [window, window, hidden, 1], [1, 1, hidden, outputs] and [outputs], None without a scale.
    """
    return *(rows[key] for key in self._keys(block)), *([] if self._scaled else [None])


class Shared:
  """Kernels of the largest block, of which the others have parts; attributes as of Separate."""

  def __init__(self, blocks, layer, scaled):
    """As for `make`."""
    own = {number: block for number, block in enumerate(blocks) if block.expansion}
    kinds = [(block.expansion, block.window) for block in own.values()]
    if len(set(kinds)) < max(2, len(kinds)):
      raise errors.InputError(
          "`sharing` shared needs blocks of different expansions or windows, each once. Received: "
          f"{', '.join(block.name for block in blocks)}"
      )
    ratios, windows = (sorted(set(sizes)) for sizes in zip(*kinds))
    self._scaled, self._rings = scaled, nesting.rings(windows)
    self._slices = list(itertools.pairwise([0, *ratios]))
    self.parts = {}
    for low, high in self._slices:
      takers = tuple(number for number, block in own.items() if block.expansion >= high)
      hidden = (high - low) * layer.inputs
      self.parts["expand", low] = Part((1, 1, layer.inputs, hidden), layer.inputs, (takers,))
      for window, pixels in self._rings.items():
        with_ring = tuple(number for number in takers if own[number].window >= window)
        if with_ring:
          part = Part((pixels, hidden, 1), windows[-1] ** 2, (with_ring,))
          self.parts["depthwise", low, window] = part
      self.parts["project", low] = Part(
          (1, 1, hidden, layer.outputs), ratios[-1] * layer.inputs, (takers,)
      )
    if scaled:
      self.parts["scale",] = Part((layer.outputs,), None, (tuple(own),))

  def of(self, block, rows):
    """As Separate.of."""
    lows = [low for low, high in self._slices if high <= block.expansion]
    windows = [window for window in self._rings if window <= block.window]
    depthwise = [
        nesting.join({window: rows["depthwise", low, window] for window in windows})
        for low in lows
    ]
    return (
        _joined([rows["expand", low] for low in lows], 3), _joined(depthwise, 2),
        _joined([rows["project", low] for low in lows], 2), rows.get(("scale",)),
    )


def _shape(key, layer):
  """(shape, fan in) of a kernel of its own."""
  kind, *sizes = key
  if kind == "scale":
    return (layer.outputs,), None
  hidden = sizes[0] * layer.inputs
  if kind == "expand":
    return (1, 1, layer.inputs, hidden), layer.inputs
  if kind == "project":
    return (1, 1, hidden, layer.outputs), hidden
  return (sizes[1], sizes[1], hidden, 1), sizes[1] ** 2


def _joined(kernels, axis):
  return ops.concatenate(kernels, axis=axis) if len(kernels) > 1 else kernels[0]
