"""Names of classes, which come from outside and are written to files, lines and graphs."""

import os

from tfdynnas import errors
from tfdynnas.files import text


def check(names, source):
  """Refuses names that cannot be written everywhere: in files, on a line, in a graph.

  Args:
    names: Iterable of values that must be str.
    source: str or os.PathLike, where they are from.

  Raises:
    InputError: One is no str, is not UTF-8, or has a line break or a control character.
  """
  for name in names:
    wrong = text.problem(name, line=True) if isinstance(name, str) else "a string"
    if wrong:
      raise errors.InputError(
          f"The name of a class must be {wrong}. "
          f"Received: {name!r:.100} of {os.fspath(source)!a:.300}"
      )
