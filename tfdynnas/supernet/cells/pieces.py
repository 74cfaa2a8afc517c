"""The pieces that subnets of a cell space are made of."""

import functools

from tfdynnas import spaces
from tfdynnas.supernet import pieces as pieces_lib
from tfdynnas.supernet.cells import network


def cell_pieces(space):
  """The pieces of a cell space.

  Each edge but the first of its node counts one sum, whatever the other edges are.

  Args:
    space: spaces.CellSpace.

  Returns:
    pieces.Pieces.
  """
  stages = range(len(space.skeleton.stage_sizes))
  nothing = spaces.Operation("empty", "identity")
  timed = [op for op in space.operations if op.kind not in ("zero", "identity")]
  pieces = {
      f"stage{stage}_{name}": pieces_lib.Piece(
          functools.partial(network.operation_chain, space, stage, operation, pieces_lib.TIMES),
          f"stage{stage}_empty", pieces_lib.TIMES)
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
  return pieces_lib.Pieces(
      functools.partial(network.cell_network, space, statistics="keras", live_only=True),
      empty, pieces, rows,
  )


def _uses(space, operation, later):
  """dict, name of a piece -> how often an edge has it; `later` edges are added to their node."""
  if operation.kind == "zero":
    return {}
  names = ([] if operation.kind == "identity" else [operation.name]) + (["sum"] if later else [])
  stages = range(len(space.skeleton.stage_sizes))
  return {f"stage{stage}_{name}": space.skeleton.cells for stage in stages for name in names}
