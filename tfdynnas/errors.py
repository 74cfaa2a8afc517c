"""What tools end with in one line: input that cannot be used, a loss that is none, a lost peer."""

import math
import os

_PATTERN = set("*?[\\")


class InputError(ValueError):
  """Raised for unusable input, with one line: the rule, then what was received.

  Tools print the line and exit with status 2; a library user catches a ValueError.
  """


class DivergedError(ArithmeticError):
  """Raised when a training's loss is no longer a number; the line names the step."""


class LostError(ConnectionError):
  """Raised when another process of the same job is silent for longer than the stated time."""


def check_number(value, holds, rule):
  """Raises InputError unless a value is a finite number of which something holds.

  Args:
    value: What was given, of any type.
    holds: Callable, number -> bool.
    rule: str, what must be, before the full stop.
  """
  try:
    good = math.isfinite(value) and bool(holds(value))
  except (TypeError, ValueError, OverflowError):  # A text, several numbers, one without a float.
    good = False
  if not good:
    raise InputError(f"{rule}. Received: {value!r}")


def refuse_pattern(name, path):
  """Raises InputError if TensorFlow or keras-tuner would take a path for a pattern of names.

  Both look for their own files by patterns: what lies there is written, and not found again.

  Args:
    name: What to call it, the name of a flag or an argument.
    path: str or os.PathLike.
  """
  if _PATTERN & set(os.fspath(path)):
    raise InputError(
        f"`{name}` must be without *, ?, [ and \\, which TensorFlow and keras-tuner take for "
        f"patterns; name the folder otherwise. Received: {os.fspath(path)}"
    )
