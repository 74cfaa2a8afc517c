"""CSV files with a header: written whole, and checked when read."""

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
    most: Limit of its size, in bytes.

  Returns:
    (columns, rows): list of str; list of dicts of str by column.

  Raises:
    InputError: It is missing or cannot be read, or a row and the header differ in length.
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
  """The cells of some columns, with numbers parsed.

  Args:
    path: The file, for the message.
    rows: As from `read`.
    kinds: dict, column -> its kind, see `json_schema.check`: str, float or a Number; or a tuple of
      one of these and None, if a cell may be empty or the column missing.

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
  """A cell converted to its kind; the text if it cannot be, None if the cell is empty."""
  kind = kind[0] if isinstance(kind, tuple) else kind
  if not text or kind is str:
    return text or None
  try:
    return (int if getattr(kind, "whole", False) else float)(text)
  except ValueError:
    return text
