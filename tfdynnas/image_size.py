"""Sizes of images: an int, or (height, width) if these differ; as text `32`, `96x256`, or ""."""

import operator
import re

from tfdynnas import errors

MOST = 16_384  # Pixels of a side.


def pair(size):
  """The (height, width) of a size.

  Args:
    size: int >= 1, or a pair of them.

  Returns:
    Tuple of two ints.

  Raises:
    InputError: It is neither.
  """
  try:
    sides = tuple(map(operator.index, size if isinstance(size, (tuple, list)) else (size, size)))
  except TypeError:
    sides = ()
  if len(sides) != 2 or min(sides) < 1:
    raise errors.InputError(
        f"`image_size` must be an int >= 1, or (height, width) of such. Received: {size!r:.60}"
    )
  return sides


def plain(size):
  """The form of a size in records: an int if height and width are equal, else a pair.

  Args:
    size: int >= 1, or a pair of them.
  """
  height, width = pair(size)
  return height if height == width else (height, width)


def text(size):
  """The text of a size: `32`, `96x256`, or "" for the images' own.

  Args:
    size: Such a text, `32x32` and `0` (for "") included; or an int >= 0.

  Returns:
    str; a value that is neither str nor int is returned unchanged.

  Raises:
    InputError: It is no size, or a side is above MOST.
  """
  if type(size) not in (int, str):
    return size
  found = re.fullmatch(r"([0-9]{1,5})(?:x([0-9]{1,5}))?", str(size))
  sides = (int(found[1]), int(found[2] or found[1])) if found else (-1, -1)
  if size == "" or sides == (0, 0):
    return ""
  if not 0 < min(sides) <= max(sides) <= MOST:
    raise errors.InputError(
        "`image_size` must look like 32 or, HEIGHTxWIDTH, 96x256, of sides from 1 to "
        f"{MOST} pixels. Received: {str(size)!r:.60}"
    )
  return "x".join(map(str, sides if sides[0] != sides[1] else sides[:1]))


def read(written):
  """The size in a text of `text`: int or (height, width); None for "" and for None.

  Args:
    written: str or None.
  """
  sides = [int(side) for side in (written or "").split("x") if side]
  return plain((sides[0], sides[-1])) if sides else None
