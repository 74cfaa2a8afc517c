"""What the subnets of a cell space are made of, each piece a Keras model at its real shape."""

import dataclasses
import functools
from collections.abc import Callable

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.supernet import network

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
    fixed: Callable that builds the keras.Model of what every subnet has.
    empty: dict, name -> callable that builds the keras.Model of an empty call.
    pieces: dict, name -> Piece.
    rows: Tuple per decision of a tuple per choice of a dict, name of a piece -> how often a subnet
      with that choice has it.
  """

  fixed: Callable
  empty: dict
  pieces: dict
  rows: tuple


def of(space):
  """The pieces of a space.

  Args:
    space: spaces.CellSpace.

  Returns:
    Pieces. A sum is counted with each edge but the first of its node, whatever the others are.

  Raises:
    InputError: The space is none of cells.
  """
  if not isinstance(space, spaces.CellSpace):
    raise errors.InputError(f"Pieces are those of a space of cells. Received: `{space.name}`")
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
  return Pieces(functools.partial(network.skeleton_network, space), empty, pieces, rows)


def _uses(space, operation, later):
  """dict, name of a piece -> how often an edge has it; `later` edges are added to their node."""
  if operation.kind == "zero":
    return {}
  names = ([] if operation.kind == "identity" else [operation.name]) + (["sum"] if later else [])
  stages = range(len(space.skeleton.stage_sizes))
  return {f"stage{stage}_{name}": space.skeleton.cells for stage in stages for name in names}
