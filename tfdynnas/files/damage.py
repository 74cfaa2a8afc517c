"""Damaged files: reading one raises an error of one line that names the file."""

import contextlib
import csv

from tfdynnas import errors

# Raised by parsers, and by look-ups in what they return.
PARSED = (ValueError, EOFError, RecursionError, csv.Error, LookupError, TypeError, AttributeError)
KINDS = (OSError, *PARSED)
_LONGEST = 200  # Letters of a reason.


@contextlib.contextmanager
def refused(path, what, kinds=KINDS):
  """Context that turns the exceptions of a damaged file into an InputError.

  Args:
    path: The file.
    what: str, what it must be.
    kinds: Exceptions that the damage may raise.

  Raises:
    InputError: One of them was raised; an InputError passes unchanged.
  """
  try:
    yield
  except errors.InputError:
    raise
  except kinds as error:
    cause = error.__cause__ or error
    reason = " ".join(str(cause).split())[:_LONGEST] or type(cause).__name__
    raise errors.InputError(f"{path} must be {what}. Received: {reason}") from error
