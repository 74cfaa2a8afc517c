"""What reading a damaged file raises: one line that names the file."""

import contextlib
import csv

from tfdynnas import errors

# Of parsers, and of looking for what is not in what they gave.
PARSED = (ValueError, EOFError, RecursionError, csv.Error, LookupError, TypeError, AttributeError)
KINDS = (OSError, *PARSED)
_LONGEST = 200  # Letters of a reason.


@contextlib.contextmanager
def refused(path, what, kinds=KINDS):
  """Context in which what a damaged file raises becomes an InputError.

  Args:
    path: The file.
    what: str, what it must be.
    kinds: Exceptions that the damage may raise.

  Raises:
    InputError: One of them was raised; an InputError stays as it is.
  """
  try:
    yield
  except errors.InputError:
    raise
  except kinds as error:
    cause = error.__cause__ or error
    reason = " ".join(str(cause).split())[:_LONGEST] or type(cause).__name__
    raise errors.InputError(f"{path} must be {what}. Received: {reason}") from error
