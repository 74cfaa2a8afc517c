"""Reads JSON files, which hold what was written by a pattern of types, or are refused."""

import json
import pathlib
import reprlib

from tfdynnas import errors


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
  try:
    value = json.loads(pathlib.Path(path).read_text())
  except (OSError, ValueError, RecursionError) as error:
    raise errors.InputError(f"{path} must be whole JSON. Received: {error}") from error
  check(path, value, kind)
  return value


def check(path, value, kind, name=""):
  """Refuses JSON that is not of its kind.

  Args:
    path: The file that it is from, for the message.
    value: What was read.
    kind: A type (of float also an int), or None; [kind] of a list of one or more, [kind, kind] of
      a list of that many; a tuple of kinds, any of which it may be, the fullest last; or a dict by
      name of an object, which may hold more: of `name?` if it is there, of `str` all there are.
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
  elif type(value) in ((int, float) if kind is float else (kind or type(None),)):
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
  kinds = kinds * len(value) if len(kinds) == 1 else kinds
  if not value or len(value) != len(kinds):
    yield value, (), name
  else:
    yield from ((part, kind, f"{name}[{n}]") for n, (part, kind) in enumerate(zip(value, kinds)))
