"""Text that can be written down everywhere: in files, on a line, in a graph."""

import os
import unicodedata

_LONGEST_NAME, _LONGEST_PATH = 255, 4095  # Bytes, of Linux.


def problem(text, line=False):
  """Says what a text must be that is written down or names a file; None if it is.

  Args:
    text: str.
    line: bool, whether it must also be one line, without control characters.
  """
  kinds = {unicodedata.category(letter) for letter in text}
  if "Cs" in kinds:  # What Python makes of bytes that are none, and what JSON may hold.
    return "of UTF-8"
  if "\0" in text:
    return "without NUL"
  if line and kinds & {"Cc", "Zl", "Zp"}:
    return "of one line, without control characters"
  return None


def path_problem(path):
  """Says what a path must be that a file or a folder may have; None if it is.

  Args:
    path: str or os.PathLike.
  """
  encoded = os.fsencode(path)
  if len(encoded) > _LONGEST_PATH or max(map(len, encoded.split(b"/"))) > _LONGEST_NAME:
    return f"a path of at most {_LONGEST_PATH:,} bytes, {_LONGEST_NAME} each name"
  return None


def shown(value):
  """The beginning of a value, for a message: str, at most 60 letters."""
  try:
    return f"{value!r:.60}"
  except ValueError:  # Python writes no number of thousands of digits.
    return "a number of thousands of digits"
