"""Reads JSON files, which hold what was written by a pattern of types, or are refused."""

import dataclasses
import json
import math
import reprlib

from tfdynnas import errors
from tfdynnas.files import damage
from tfdynnas.files import regular_file


@dataclasses.dataclass(frozen=True)
class Number:
  """A kind: a finite number within bounds.

  Attributes:
    least, most: The bounds, inclusive.
    whole: bool, whether it must be an int.
  """

  least: float = -math.inf
  most: float = math.inf
  whole: bool = False

  def fits(self, value):
    """Whether a value is of this kind."""
    if type(value) not in ((int,) if self.whole else (int, float)):
      return False
    return self.least <= value <= self.most and -_BEYOND < value < _BEYOND


_BEYOND = 2.0**1023  # No number of ours is as large; what is larger may not be a float.
SHARE = Number(0, 1)  # Such as an accuracy.
COUNT = Number(0, whole=True)
POSITIVE = Number(0)  # Or 0.
CORRELATION = Number(-1 - 1e-6, 1 + 1e-6)  # Or a cosine; sums are rounded.
PERCENT = Number(0, 100)


def read(path, kind):
  """Reads a JSON file.

  Args:
    path: The file.
    kind: What it holds, as of `check`.

  Returns:
    What it holds.

  Raises:
    InputError: It is not there, damaged, or holds something else.
  """
  with damage.refused(path, "whole JSON"):
    value = json.loads(regular_file.read_text(path))
  check(path, value, kind)
  return value


def check(path, value, kind, name=""):
  """Refuses JSON that is not of its kind.

  Args:
    path: The file that it is from, for the message.
    value: What was read.
    kind: A type (float: any finite number), a Number, or None; [kind] of a list of one or more,
      [kind, ...] of any number, [kind, kind] of a list of that many; a tuple of kinds, any of which
      it may be, the fullest last; or a dict by name of an object, which may hold more: of `name?`
      if it is there, of `str` all there are.
    name: Where it is in the file.

  Raises:
    InputError: It is of another kind; the message names the part that is.
  """
  wrong = _misfit(value, kind, name)
  if wrong:
    raise errors.InputError(f"{path} must hold what this version writes. Received: {wrong}")


def _misfit(value, kind, name=""):
  """The part of a value that is not of its kind, as name=value; None if there is none."""
  if isinstance(kind, (dict, list)) and isinstance(value, type(kind)):
    inner = (_entries if isinstance(kind, dict) else _items)(value, kind, name)
    return next(filter(None, (_misfit(*part) for part in inner)), None)
  if isinstance(kind, tuple):
    wrongs = [_misfit(value, one, name) for one in kind]
    if None in wrongs:
      return None
    if isinstance(value, dict) and wrongs:  # Where it is not like the last, which asks most.
      return wrongs[-1]
  elif kind is float or isinstance(kind, Number):
    if (Number() if kind is float else kind).fits(value):
      return None
  elif type(value) is (kind or type(None)):
    return None
  return (name and f"{name}=") + reprlib.repr(value)


def _entries(value, kinds, name):
  """(value, kind, name) of each entry of an object that has a kind."""
  prefix = name and f"{name}."
  for key, kind in kinds.items():
    if key is str:
      yield from ((part, kind, prefix + own) for own, part in value.items())
    elif key.rstrip("?") in value:
      yield value[key.rstrip("?")], kind, prefix + key.rstrip("?")
    elif not key.endswith("?"):
      yield None, (), prefix + key  # Nothing fits what is not there.


def _items(value, kinds, name):
  """(value, kind, name) of each item of a list, or of the list if they are not as many."""
  if kinds[-1] is ...:
    kinds = kinds[:1] * len(value)
  elif len(kinds) == 1:
    kinds = kinds * max(len(value), 1)
  if len(value) != len(kinds):
    yield value, (), name
  else:
    yield from ((part, kind, f"{name}[{n}]") for n, (part, kind) in enumerate(zip(value, kinds)))
