"""Files with a JSON object on each line: written whole, or journals of jobs that may be killed."""

import json
import os
import pathlib

from tfdynnas.files import atomic
from tfdynnas.files import damage
from tfdynnas.files import identity as identity_lib
from tfdynnas.files import json_schema
from tfdynnas.files import regular_file


def read(path, what, kind):
  """Reads a file of lines.

  Args:
    path: The file.
    what: str, what a line must be, for the message.
    kind: What a line holds, see `json_schema.check`.

  Returns:
    List of dicts; [] if there is no such file.

  Raises:
    InputError: It cannot be read, or a line is damaged; the message names the line.
  """
  path = pathlib.Path(path)
  if not path.exists():
    return []
  with damage.refused(path, f"a file of lines, each {what}"):
    lines = regular_file.read_text(path, regular_file.MOST_LOG_BYTES).splitlines()
  return [_row(path, number, line, what, kind) for number, line in enumerate(lines, 1)]


def write(path, rows):
  """Writes a file of lines, whole."""
  atomic.write_text(path, "".join(_line(row) for row in rows))


class Journal:
  """A file that rows are appended to one by one, so that a killed job can resume.

  The first line holds the settings of the job: the file of another job is refused.

  Attributes:
    rows: List of dicts, the rows of earlier processes.
  """

  def __init__(self, path, identity, what, kind):
    """Reads the rows of earlier processes; a new file is made with its first row.

    Args:
      path: pathlib.Path of the file.
      identity: JSON-able dict of the settings that the rows depend on.
      what: str, what a row must be, for the message.
      kind: What a row holds, see `json_schema.check`.

    Raises:
      InputError: The file is damaged, or of other settings; the message says which differ.
    """
    self.rows, self._path, self._identity, self._file = [], path, identity, None
    if path.exists():
      self._read(f"{what}; delete the file to begin anew", kind)

  def _read(self, what, kind):
    with damage.refused(self._path, f"a file of lines, each {what}"):
      data = regular_file.read_bytes(self._path, regular_file.MOST_LOG_BYTES)
    whole, newline, torn = data.rpartition(b"\n")  # A kill leaves at most the last line torn.
    first, *lines = whole.split(b"\n")
    there = _row(self._path, 1, first, what, {"identity": dict})["identity"]
    rule = f"{self._path} must be of the same settings; delete it to begin anew"
    identity_lib.refuse_other(rule, there, self._identity)
    self.rows = [_row(self._path, *numbered, what, kind) for numbered in enumerate(lines, 2)]
    if torn:
      os.truncate(self._path, len(whole) + len(newline))

  def add(self, row):
    """Appends a row."""
    if self._file is None:
      if not self._path.exists():
        write(self._path, [{"identity": self._identity}])
      self._file = open(self._path, "a", encoding="utf-8")
    self._file.write(_line(row))
    self._file.flush()

  def close(self):
    """Closes the file."""
    if self._file is not None:
      self._file.close()


def _line(row):
  return json.dumps(row, allow_nan=False) + "\n"


def _row(path, number, line, what, kind):
  """The object on a line."""
  place = f"Line {number} of {path}"
  with damage.refused(place, what):
    row = json.loads(line)
  json_schema.check(place, row, kind)
  return row
