"""The pieces that the subnets of a space are made of, each a Keras model at its real shape."""

import dataclasses
from collections.abc import Callable

from tfdynnas import registry

TIMES = 8  # In one call, because a call takes as long as several small operations.


@dataclasses.dataclass(frozen=True)
class Piece:
  """A piece; its time is that of its model, less that of an empty call, divided by `times`.

  Attributes:
    make: Callable that builds the keras.Model.
    empty: Name of the empty call with the same input.
    times: Times that the model runs the piece.
  """

  make: Callable
  empty: str
  times: int


@dataclasses.dataclass(frozen=True)
class Pieces:
  """The pieces of a space's choices, and how many of each its subnets have.

  Attributes:
    whole: Callable, arch -> keras.Model of the subnet as it is served.
    empty: dict, name -> callable that builds the keras.Model of an empty call.
    pieces: dict, name -> Piece.
    rows: Tuple per decision of a tuple per choice of a dict, name of a piece -> how many of it a
      subnet with that choice has.
  """

  whole: Callable
  empty: dict
  pieces: dict
  rows: tuple


def of(space):
  """The pieces of a space.

  Args:
    space: spaces.Space of a kind that has pieces, as cells and layers do.

  Returns:
    Pieces.

  Raises:
    InputError: The space has none.
  """
  return registry.part(space, "pieces")(space)
