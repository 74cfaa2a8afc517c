"""Errors that a tool reports in one line: unusable input, a diverged loss, a lost process."""

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
  """Raised when another process of the job is silent for longer than the stated time."""


def check_number(value, holds, rule):
  """Raises InputError unless a value is a finite number that meets a condition.

  Args:
    value: The value, of any type.
    holds: Callable, number -> bool.
    rule: str, the rule as a sentence without its full stop.
  """
  try:
    good = math.isfinite(value) and bool(holds(value))
  except (TypeError, ValueError, OverflowError):  # A text, several numbers, an int beyond floats.
    good = False
  if not good:
    raise InputError(f"{rule}. Received: {value!r}")


def refuse_pattern(name, path):
  """Raises InputError if TensorFlow or keras-tuner would take a path for a glob pattern.

  Both look for their own files by pattern: what they write at such a path they never find again.

  Args:
    name: The name of the flag or argument, for the message.
    path: str or os.PathLike.
  """
  if _PATTERN & set(os.fspath(path)):
    raise InputError(
        f"`{name}` must be without *, ?, [ and \\, which TensorFlow and keras-tuner take for "
        f"patterns; name the folder otherwise. Received: {os.fspath(path)}"
    )
