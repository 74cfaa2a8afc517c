"""What the subnets of a space are made of, each piece a Keras model at its real shape."""

import dataclasses
import functools
from collections.abc import Callable

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.supernet.cells import network
from tfdynnas.supernet.layers.network import block_chain
from tfdynnas.supernet.layers.network import first_network
from tfdynnas.supernet.layers.network import last_network
from tfdynnas.supernet.layers.network import layer_network

TIMES = 8  # In one call, for a call takes as long as many a small operation.


@dataclasses.dataclass(frozen=True)
class Piece:
  """A piece whose time is that of its model, less that of an empty call, over `times`.

  Attributes:
    make: Callable that builds the keras.Model.
    empty: Name of the piece that does nothing with the same input.
    times: How often the model does what the piece does.
  """

  make: Callable
  empty: str
  times: int


@dataclasses.dataclass(frozen=True)
class Pieces:
  """The pieces of a space, and where its subnets have them.

  Attributes:
    whole: Callable, arch -> keras.Model of the subnet as it is served.
    fixed: Callable that builds the keras.Model of what every subnet has.
    more: Names of the pieces that every subnet has beside that.
    empty: dict, name -> callable that builds the keras.Model of an empty call.
    pieces: dict, name -> Piece.
    rows: Tuple per decision of a tuple per choice of a dict, name of a piece -> how often a subnet
      with that choice has it.
  """

  whole: Callable
  fixed: Callable
  more: tuple
  empty: dict
  pieces: dict
  rows: tuple


def of(space):
  """The pieces of a space.

  Args:
    space: spaces.CellSpace or spaces.LayerSpace.

  Returns:
    Pieces.

  Raises:
    InputError: The space is neither.
  """
  if isinstance(space, spaces.CellSpace):
    return _of_cells(space)
  if isinstance(space, spaces.LayerSpace):
    return _of_layers(space)
  raise errors.InputError(f"Pieces are of a space of cells or layers. Received: `{space.name}`")


def _of_cells(space):
  """A sum is counted with each edge but the first of its node, whatever the others are."""
  stages = range(len(space.skeleton.stage_sizes))
  nothing = spaces.Operation("empty", "identity")
  timed = [op for op in space.operations if op.kind not in ("zero", "identity")]
  pieces = {
      f"stage{stage}_{name}": Piece(
          functools.partial(network.operation_chain, space, stage, operation, TIMES),
          f"stage{stage}_empty", TIMES)
      for stage in stages for name, operation in (*((op.name, op) for op in timed), ("sum", None))
  }
  empty = {
      f"stage{stage}_empty": functools.partial(network.operation_chain, space, stage, nothing, 1)
      for stage in stages
  }
  rows = tuple(
      tuple(_uses(space, operation, source > 0) for operation in space.operations)
      for source, _ in space.edges
  )
  return Pieces(
      functools.partial(network.cell_network, space, statistics="keras", live_only=True),
      functools.partial(network.skeleton_network, space), (), empty, pieces, rows,
  )


def _of_layers(space):
  """Layers of one shape share their pieces; those that change the shape run once in a call."""
  empty, pieces, rows = {}, {}, []
  for place, (layer, decision) in enumerate(zip(space.skeleton.layers, space.decisions)):
    shape = "x".join(map(str, (*layer.size, layer.inputs)))
    shape = f"{shape}_to_{layer.outputs}_stride{layer.stride}"
    times, uses = TIMES if layer.keeps_shape else 1, []
    empty[f"{shape}_empty"] = functools.partial(block_chain, layer, None, 1)
    for choice, name in enumerate(decision.choices):
      arch = [choice if other == place else 0 for other in range(len(space.decisions))]
      block = space.chosen(arch)[place]
      uses.append({f"{shape}_{name}": 1} if block.expansion else {})
      if block.expansion:
        pieces[f"{shape}_{name}"] = Piece(
            functools.partial(block_chain, layer, block, times), f"{shape}_empty", times)
    rows.append(tuple(uses))
  end = functools.partial(last_network, space)
  behind = dataclasses.replace(layer, size=layer.output_size, inputs=layer.outputs)
  empty["end_empty"] = functools.partial(block_chain, behind, None, 1)
  return Pieces(
      functools.partial(layer_network, space, statistics="keras"),
      functools.partial(first_network, space), ("end",), empty,
      {**pieces, "end": Piece(end, "end_empty", 1)}, tuple(rows),
  )


def _uses(space, operation, later):
  """dict, name of a piece -> how often an edge has it; `later` edges are added to their node."""
  if operation.kind == "zero":
    return {}
  names = ([] if operation.kind == "identity" else [operation.name]) + (["sum"] if later else [])
  stages = range(len(space.skeleton.stage_sizes))
  return {f"stage{stage}_{name}": space.skeleton.cells for stage in stages for name in names}
