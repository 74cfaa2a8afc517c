"""Cell spaces: a small graph of edges, each with a choice of operations, repeated in three stages.

Source: Dong and Yang, NAS-Bench-201 (ICLR 2020): stem, three stages of equal cells, a residual
block of stride 2 before the second and third, and a classifier on the pooled features.
"""

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import Any

from tfdynnas import errors
from tfdynnas import image_size as image_size_lib
from tfdynnas.spaces import space as space_lib

STAGES = 3


@dataclasses.dataclass(frozen=True)
class Operation:
  """An operation on an edge; it keeps the shape of its tensor.

  Attributes:
    name: Name of the choice.
    kind: `zero` (no connection), `identity`, `conv` (ReLU, convolution, normalisation), `avg_pool`
      or `max_pool` (stride 1, padding left out of the mean).
    window: Height and width of the kernel or of the pool, odd, >= 1.

  Example:
    operation = nas.spaces.Operation("conv_5x5", "conv", 5)
  """

  name: str
  kind: str
  window: int = 1

  def __post_init__(self):
    kinds = ("zero", "identity", "conv", "avg_pool", "max_pool")
    if self.kind not in kinds:
      raise errors.InputError(f"An operation is one of {', '.join(kinds)}. Received: {self.kind!r}")
    if self.window < 1 or self.window % 2 == 0:
      raise errors.InputError(f"`window` must be odd and >= 1. Received: {self.window}")


@dataclasses.dataclass(frozen=True)
class Skeleton:
  """The network around the cells.

  Attributes:
    channels: Channels of the first stage; each further stage has twice as many.
    cells: Cells in each stage.
    image_size: Height and width of the images, pixels, multiples of 4: an int or a pair; a pair of
      equal numbers becomes an int.
    classes: Number of classes.

  Example:
    skeleton = nas.spaces.Skeleton(channels=8, cells=1, image_size=(8, 16))
    print(skeleton.stage_channels)  # (8, 16, 32)
  """

  channels: int = 16
  cells: int = 5
  image_size: int | tuple[int, int] = 32
  classes: int = 10

  def __post_init__(self):
    object.__setattr__(self, "image_size", image_size_lib.plain(self.image_size))
    for name, least in (("channels", 1), ("cells", 1), ("classes", 2)):
      if getattr(self, name) < least:
        raise errors.InputError(f"`{name}` must be >= {least}. Received: {getattr(self, name)}")
    if any(side % 4 for side in image_size_lib.pair(self.image_size)):
      raise errors.InputError(f"`image_size` must be a multiple of 4. Received: {self.image_size}")

  @property
  def image_shape(self) -> tuple[int, int, int]:
    """(height, width, 3) of the images, pixels."""
    return *image_size_lib.pair(self.image_size), 3

  @property
  def stage_channels(self) -> tuple[int, ...]:
    """Channels of each stage, ints."""
    return tuple(self.channels << stage for stage in range(STAGES))

  @property
  def stage_sizes(self) -> tuple[tuple[int, int], ...]:
    """(height, width) of each stage, pixels."""
    height, width = image_size_lib.pair(self.image_size)
    return tuple((height >> stage, width >> stage) for stage in range(STAGES))


@dataclasses.dataclass(frozen=True)
class CellSpace(space_lib.Space):
  """A space of cells; an arch names the operation of each edge of the cell.

  Attributes:
    nodes: Nodes of a cell, the input and the output among them.
    operations: Choices of every edge.
    skeleton: The network around the cells.

  Example:
    assert isinstance(space, nas.spaces.CellSpace)  # Made by `nasbench201` or `cell_space`.
    print(space.edges, space.live(space.largest()))
  """

  kind = "cells"  # One of registry.KINDS.
  nodes: int
  operations: tuple[Operation, ...]
  skeleton: Skeleton

  @property
  def edges(self) -> tuple[tuple[int, int], ...]:
    """(source node, target node) of each decision."""
    return cell_edges(self.nodes)

  def passes(self, place: int, choice: int) -> bool:
    """Whether a choice lets a signal through: all but `zero` do."""
    return self.operations[choice].kind != "zero"

  def live(self, arch: Sequence[int]) -> tuple[bool, ...]:
    """Which edges the output depends on: those on a path of connections from input to output.

    Args:
      arch: Sequence of ints, one per decision.

    Returns:
      tuple of bool, one per edge. An edge that is not live does not change the subnet's logits.
    """
    used = [self.operations[choice].kind != "zero" for choice in self.validate(arch)]
    fed, needed = {0}, {self.nodes - 1}
    for on, (source, target) in zip(used, self.edges):
      if on and source in fed:
        fed.add(target)
    for on, (source, target) in reversed(list(zip(used, self.edges))):
      if on and target in needed:
        needed.add(source)
    return tuple(on and s in fed and t in needed for on, (s, t) in zip(used, self.edges))

  def format(self, arch: Sequence[int]) -> str:
    """String form of the literature: `|op~0|+|op~0|op~1|+...`, one group per node."""
    groups: dict[int, list[str]] = {}
    for choice, (source, target) in zip(self.validate(arch), self.edges):
      groups.setdefault(target, []).append(f"{self.operations[choice].name}~{source}")
    return "+".join("|" + "|".join(groups[target]) + "|" for target in sorted(groups))

  def _parse_names(self, names, text):
    groups = [re.findall(r"[^|]+", group) for group in text.split("+")]
    flat = [item.rpartition("~") for group in groups for item in group]
    form = self.format(self._first())
    sources = [source for _, _, source in flat]
    if sources != [str(source) for source, _ in self.edges] or len(groups) != self.nodes - 1:
      raise errors.InputError(f"An arch of `{self.name}` looks like {form}. Received: {text!r}")
    arch = super()._parse_names([name for name, _, _ in flat], text)
    if self.format(arch) != text:
      raise errors.InputError(f"An arch of `{self.name}` looks like {form}. Received: {text!r}")
    return arch

  def get_config(self) -> dict[str, Any]:
    """JSON-able dict for `from_config`."""
    return {
        "name": self.name,
        "operations": [dataclasses.asdict(operation) for operation in self.operations],
        "nodes": self.nodes,
        "skeleton": dataclasses.asdict(self.skeleton),
    }

  @classmethod
  def from_config(cls, config: dict[str, Any]) -> "CellSpace":
    """Makes the space from its config."""
    operations = [Operation(**operation) for operation in config["operations"]]
    return cell_space(config["name"], operations, config["nodes"], Skeleton(**config["skeleton"]))


def cell_edges(nodes: int) -> tuple[tuple[int, int], ...]:
  """Edges of a cell's complete graph, (source, target), in the order of an arch."""
  return tuple((source, target) for target in range(1, nodes) for source in range(target))


def cell_space(
    name: str, operations: Sequence[Operation], nodes: int = 4, skeleton: Skeleton = Skeleton()
) -> CellSpace:
  """Makes a cell space, with its costs.

  Args:
    name: Name of the space.
    operations: Sequence of Operation, the choices of every edge.
    nodes: Nodes of a cell, >= 2.
    skeleton: The network around the cells.

  Returns:
    CellSpace.

  Raises:
    InputError: Fewer than 2 nodes, no operation, or a repeated name.

  Example:
    operations = [nas.spaces.Operation("none", "zero"), nas.spaces.Operation("conv", "conv", 3)]
    skeleton = nas.spaces.Skeleton(channels=8, cells=1, image_size=8)
    space = nas.spaces.cell_space("mine", operations, nodes=3, skeleton=skeleton)
    print(space.size)  # 2**3: two operations on each of three edges.
  """
  operations = tuple(operations)
  names = tuple(operation.name for operation in operations)
  if nodes < 2:
    raise errors.InputError(f"`nodes` must be >= 2. Received: {nodes}")
  if not names or len(set(names)) < len(names):
    raise errors.InputError(f"Operations need names of their own. Received: {names}")
  edges = cell_edges(nodes)
  decisions = tuple(space_lib.Decision(f"{t}<-{s}", names) for s, t in edges)
  costs = {}
  for kind in space_lib.COSTS:
    row = tuple(_operation_cost(kind, operation, skeleton) for operation in operations)
    costs[kind] = space_lib.Cost(_fixed_cost(kind, skeleton), (row,) * len(edges))
  return CellSpace(name, decisions, costs, nodes, operations, skeleton)


def _conv_cost(kind, window, inputs, outputs, size):
  """Cost of a bias-free convolution with an output of size (height, width)."""
  kernel = window * window * inputs * outputs
  if kind == "macs":
    return kernel * math.prod(size)
  return kernel + (2 * outputs if kind == "params" else 0)  # Its affine normalisation.


def _operation_cost(kind, operation, skeleton):
  """Cost of an operation on one edge, over all cells."""
  if operation.kind != "conv":
    return 0
  stages = zip(skeleton.stage_channels, skeleton.stage_sizes)
  return skeleton.cells * sum(_conv_cost(kind, operation.window, c, c, s) for c, s in stages)


def _fixed_cost(kind, skeleton):
  """Cost of stem, residual blocks and classifier."""
  channels, sizes = skeleton.stage_channels, skeleton.stage_sizes
  total = _conv_cost(kind, 3, 3, channels[0], sizes[0])
  for inputs, outputs, size in zip(channels, channels[1:], sizes[1:]):
    total += _conv_cost(kind, 3, inputs, outputs, size)
    total += _conv_cost(kind, 3, outputs, outputs, size)
    # The shortcut, not normalised.
    total += inputs * outputs * (math.prod(size) if kind == "macs" else 1)
  total += channels[-1] * skeleton.classes
  if kind == "params":
    total += 2 * channels[-1] + skeleton.classes  # Last normalisation, classifier's bias.
  return total
