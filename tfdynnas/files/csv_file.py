"""CSV files with a header, which are whole, and hold numbers where they must."""

import csv
import io

from tfdynnas.files import atomic
from tfdynnas.files import damage
from tfdynnas.files import json_schema
from tfdynnas.files import regular_file


def read(path, what, most=regular_file.MOST_LOG_BYTES):
  """Reads a file.

  Args:
    path: The file.
    what: str, what it must be, for the message.
    most: Bytes that it may have.

  Returns:
    (columns, rows): list of str; list of dicts of str by column.

  Raises:
    InputError: It is not there, cannot be read, or has a row of other length than its header.
  """
  with damage.refused(path, what):
    text = regular_file.read_text(path, most)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows = list(reader)
    for number, row in enumerate(rows, 1):
      if None in row or None in row.values():
        raise ValueError(f"row {number} is not as long as the header")
  return list(reader.fieldnames or ()), rows


def write(path, columns, rows):
  """Writes a file, whole.

  Args:
    path: The file.
    columns: Sequence of str.
    rows: Iterable of dicts by column; a cell that is None or missing stays empty.
  """
  text = io.StringIO()
  writer = csv.DictWriter(text, columns, lineterminator="\n")
  writer.writeheader()
  writer.writerows(rows)
  atomic.write_text(path, text.getvalue())


def cells(path, rows, kinds):
  """The cells of some columns, numbers as such.

  Args:
    path: The file, for the message.
    rows: As from `read`.
    kinds: dict, column -> its kind as of `json_schema.check`: str, float, a Number, or a tuple of
      one
      and None, of a cell that may be empty or a column that may be missing.

  Returns:
    List of dicts by column.

  Raises:
    InputError: A cell is of another kind; the message names it.
  """
  found = []
  for number, row in enumerate(rows, 1):
    found.append({name: _value(row.get(name), kind) for name, kind in kinds.items()})
    json_schema.check(path, found[-1], kinds, f"row {number}")
  return found


def _value(text, kind):
  """A cell as its kind is; the text where it cannot be, None where there is none."""
  kind = kind[0] if isinstance(kind, tuple) else kind
  if not text or kind is str:
    return text or None
  try:
    return (int if getattr(kind, "whole", False) else float)(text)
  except ValueError:
    return text
