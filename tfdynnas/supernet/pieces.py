"""What the subnets of a space are made of, each piece a Keras model at its real shape."""

import dataclasses
from collections.abc import Callable

from tfdynnas import registry

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
    space: spaces.Space of a kind that has pieces, as cells and layers do.

  Returns:
    Pieces.

  Raises:
    InputError: It has none.
  """
  return registry.part(space, "pieces")(space)
