"""Reads JSON files, and refuses those that do not match a pattern of types."""

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
    """Whether a value is a number of this kind."""
    if type(value) not in ((int,) if self.whole else (int, float)):
      return False
    return self.least <= value <= self.most and -_BEYOND < value < _BEYOND


_BEYOND = 2.0**1023  # No number of a run is as large; an int above this may not fit a float.
SHARE = Number(0, 1)  # Such as an accuracy.
COUNT = Number(0, whole=True)
POSITIVE = Number(0)  # Or 0.
CORRELATION = Number(-1 - 1e-6, 1 + 1e-6)  # Or a cosine, with the error of rounding.
PERCENT = Number(0, 100)


def read(path, kind):
  """Reads a JSON file.

  Args:
    path: The file.
    kind: What it must hold, see `check`.

  Returns:
    The value that it holds.

  Raises:
    InputError: It is missing, damaged, or holds something else.
  """
  with damage.refused(path, "whole JSON"):
    value = json.loads(regular_file.read_text(path))
  check(path, value, kind)
  return value


def check(path, value, kind, name=""):
  """Refuses JSON that is not of the wanted kind.

  Args:
    path: The file that it is from, for the message.
    value: The JSON value.
    kind: A type (float: any finite number), a Number, or None; [kind] for a list of one or more
      items, [kind, ...] for any number, [kind, kind] for as many as there are kinds; a tuple of
      alternative kinds, the most demanding last; or a dict, name -> kind, for an object, which may
      have more entries: an entry `name?` may be missing, and `str` stands for every name.
    name: Where it is in the file.

  Raises:
    InputError: It is of another kind; the message names the value at fault.
  """
  wrong = _misfit(value, kind, name)
  if wrong:
    raise errors.InputError(f"{path} must hold what this version writes. Received: {wrong}")


def _misfit(value, kind, name=""):
  """The first value within a value that is not of its kind, as name=value; None if all are."""
  if isinstance(kind, (dict, list)) and isinstance(value, type(kind)):
    inner = (_entries if isinstance(kind, dict) else _items)(value, kind, name)
    return next(filter(None, (_misfit(*part) for part in inner)), None)
  if isinstance(kind, tuple):
    wrongs = [_misfit(value, one, name) for one in kind]
    if None in wrongs:
      return None
    if isinstance(value, dict) and wrongs:  # How it differs from the most demanding, the last.
      return wrongs[-1]
  elif kind is float or isinstance(kind, Number):
    if (Number() if kind is float else kind).fits(value):
      return None
  elif type(value) is (kind or type(None)):
    return None
  return (name and f"{name}=") + reprlib.repr(value)


def _entries(value, kinds, name):
  """The (value, kind, name) of each entry of an object that must be of a kind."""
  prefix = name and f"{name}."
  for key, kind in kinds.items():
    if key is str:
      yield from ((part, kind, prefix + own) for own, part in value.items())
    elif key.rstrip("?") in value:
      yield value[key.rstrip("?")], kind, prefix + key.rstrip("?")
    elif not key.endswith("?"):
      yield None, (), prefix + key  # It is missing; no value is of the kind ().


def _items(value, kinds, name):
  """The (value, kind, name) of each item of a list, or of the list if its length is wrong."""
  if kinds[-1] is ...:
    kinds = kinds[:1] * len(value)
  elif len(kinds) == 1:
    kinds = kinds * max(len(value), 1)
  if len(value) != len(kinds):
    yield value, (), name
  else:
    yield from ((part, kind, f"{name}[{n}]") for n, (part, kind) in enumerate(zip(value, kinds)))
