"""What the jobs left in a run directory, for those who only look at it."""

import csv
import math

from tfdynnas import errors
from tfdynnas import json_kind
from tfdynnas.runs import trained
from tfdynnas.training import callbacks

FOUND, RANKED = "search/found.json", "rank/statistics.json"
_MEAN = (float, None)
_PROBE = {
    "step": int,
    "archs": [{"index": int, "complexity": float, "accuracy": _MEAN}],
    "classes": [{"class": int, **dict.fromkeys(("accuracy", "loss", "learning_rate"), _MEAN)}],
    "cosines": dict.fromkeys(("within", "across"), _MEAN),
    "momentum": dict.fromkeys(("own", "other", "mean"), _MEAN),
}


class Reader:
  """Reads the files of a run; what is not there is None or empty.

  Attributes:
    path: pathlib.Path of the run's folder, as it was given.
    in_parts: bool, whether it is a few-shot run.
  """

  def __init__(self, run_dir):
    self._run_dir = run_dir
    self.path = run_dir.path
    self._names = [name for name, _ in trained.trainings(run_dir)]
    self.in_parts = len(self._names) > 1

  def json(self, name):
    """A JSON file of the run, None if it is not there."""
    return self._run_dir.read_json(name) if (self._run_dir.path / name).exists() else None

  def networks(self):
    """What is known of each network that was trained on its own; first the one that was found."""
    folders = ["subnet", *sorted(path.name for path in self.path.glob("subnet_[0-9]*"))]
    return [found for found in (self.json(f"{name}/result.json") for name in folders) if found]

  def rows(self, name, numbers, maybe=(), texts=()):
    """The rows of a CSV file of the run as of `rows`, [] if there is no such file."""
    path = self._run_dir.path / name
    return rows(path, numbers, maybe, texts) if path.exists() else []

  def trainings(self):
    """(part, what is known) of each training of the supernet: " 0", " 1" of a few-shot one."""
    for part, name in self._parts():
      method = self.json(f"{name}/method.json")
      log = self.rows(f"{name}/log.csv", ("step",), ("data_wait",))
      if method and log:
        yield part, (
            f"{log[-1]['step']:,.0f} of {method['steps']:,} steps; {method['groups']} momentum "
            f"{'group' if method['groups'] == 1 else 'groups'}"
            + (f" by decision {method['split_decision_name']}" if method["groups"] > 1 else "")
            + _wait(log[-1]["data_wait"])
        )

  def logs(self):
    """(part, rows of its log) of each training that has one."""
    columns = ("step", "loss", "accuracy")
    found = [(part, self.rows(f"{name}/log.csv", columns)) for part, name in self._parts()]
    return [(part, rows) for part, rows in found if rows]

  def probes(self):
    """(part, its probes) of each training that has some."""
    found = []
    for part, name in self._parts():
      path = self._run_dir.path / name / "probes.jsonl"
      lines = callbacks.read_lines(path)
      if lines:
        json_kind.check(path, lines, [_PROBE])
        found.append((part, lines))
    return found

  def _parts(self):
    return [(f" {part}" if self.in_parts else "", name) for part, name in enumerate(self._names)]


def rows(path, numbers, maybe=(), texts=()):
  """The rows of a CSV file.

  Args:
    path: The file.
    numbers: Names of columns of finite numbers.
    maybe: The same, None where a row has none: unknown, or not written by an older version.
    texts: Names of columns of text.

  Returns:
    List of dicts with these keys.

  Raises:
    InputError: It is not there, no CSV file, or a column is missing or of another kind.
  """
  try:
    with open(path, newline="", encoding="utf-8") as file:
      return [_cells(row, numbers, maybe, texts) for row in csv.DictReader(file)]
  except (OSError, ValueError, csv.Error) as error:
    columns = ", ".join((*numbers, *texts))
    raise errors.InputError(f"{path} must have rows of {columns}. Received: {error}") from error


def _wait(share):
  return "" if share is None else f"; {share:.0%} of the last epoch waiting for data"


def _cells(row, numbers, maybe, texts):
  """The cells of a row that are asked for; a ValueError names one that is not as it must be."""
  cells = {column: row.get(column) or None for column in (*numbers, *maybe, *texts)}
  for column in (*numbers, *maybe):
    if cells[column] is not None:
      cells[column] = float(cells[column])
  for column in (*numbers, *texts):
    if cells[column] is None:
      raise ValueError(f"no {column}")
  for column, value in cells.items():
    if isinstance(value, float) and not math.isfinite(value):
      raise ValueError(f"{column}={value}")
  return cells
