"""A space of the user's own, made by a function: `my_module:make_space`."""

import contextlib
import importlib
import inspect
import os
import sys

from tfdynnas import errors
from tfdynnas.spaces import saving
from tfdynnas.spaces import space as space_lib


def make(name, **size):
  """Imports a function from the working directory or `sys.path`, and calls it.

  Args:
    name: str, `module:function`.
    **size: Arguments of the function: image_size, classes and others.

  Returns:
    Space, as `saving.to_config` describes it.

  Raises:
    InputError: There is no such module or function, or it does not take the size, raises, or does
      not return a space of that size.
  """
  with _importing():
    made = _call(name, _function(name), size)
  if not isinstance(made, space_lib.Space):
    raise _error(name, "must return a spaces.Space", f"{made!r:.60}")
  if saving.from_config(saving.to_config(made)) != made:
    raise _error(name, "must return what `cell_space` or `layer_space` make, as it is", "another")
  for part in ("image_size", "classes"):
    found = getattr(made.skeleton, part)
    if size.get(part, found) != found:
      raise _error(name, f"must return a space of {part}={size[part]}", found)
  return made


@contextlib.contextmanager
def _importing():
  """Imports from the working directory first, as `python` does."""
  sys.path.insert(0, os.getcwd())
  try:
    yield
  finally:
    with contextlib.suppress(ValueError):  # The module may have changed the list itself.
      sys.path.remove(os.getcwd())


def _function(name):
  module, _, function = name.partition(":")
  try:
    found = getattr(importlib.import_module(module), function)
  except Exception as error:  # The user's module may raise anything.
    raise _error(name, "must name a function as module:function", _line(error)) from error
  if not callable(found):
    raise _error(name, "must name a function as module:function", f"{found!r:.60}")
  return found


def _call(name, function, size):
  try:
    inspect.signature(function).bind(**size)
  except (TypeError, ValueError) as error:
    raise _error(name, f"must take {', '.join(size)}", _line(error)) from error
  try:
    return function(**size)
  except Exception as error:  # As above.
    raise _error(name, "must make a space", _line(error)) from error


def _line(error):
  """An exception in one line."""
  return f"{type(error).__name__}: {error}".splitlines()[0]


def _error(name, rule, received):
  return errors.InputError(f"`space` {name} {rule}. Received: {received}")
