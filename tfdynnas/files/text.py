"""Text that can be written anywhere: in files, on a line, in a graph."""

import os
import unicodedata

_LONGEST_NAME, _LONGEST_PATH = 255, 4095  # Bytes, on Linux.


def problem(text, line=False):
  """The rule that a text to write, or a file's name, breaks; None if it breaks none.

  Args:
    text: str.
    line: bool, whether it must be one line without control characters too.
  """
  kinds = {unicodedata.category(letter) for letter in text}
  if "Cs" in kinds:  # Surrogates: Python decodes invalid bytes to them, and JSON may hold them.
    return "of UTF-8"
  if "\0" in text:
    return "without NUL"
  if line and kinds & {"Cc", "Zl", "Zp"}:
    return "of one line, without control characters"
  return None


def path_problem(path):
  """The rule that the path of a file or folder breaks; None if it breaks none.

  Args:
    path: str or os.PathLike.
  """
  encoded = os.fsencode(path)
  if len(encoded) > _LONGEST_PATH or max(map(len, encoded.split(b"/"))) > _LONGEST_NAME:
    return f"a path of at most {_LONGEST_PATH:,} bytes, {_LONGEST_NAME} each name"
  return None


def shown(value):
  """The beginning of a value, for a message: str, at most 60 characters."""
  try:
    return f"{value!r:.60}"
  except ValueError:  # Python refuses to print an int of thousands of digits.
    return "a number of thousands of digits"
