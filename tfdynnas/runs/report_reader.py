"""What the jobs left in a run directory, for those who only look at it."""

import csv

from tfdynnas import errors
from tfdynnas.runs import trained
from tfdynnas.training import callbacks

RESULTS = ("search/found.json", "rank/statistics.json", "subnet/result.json")


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

  def rows(self, name, columns, later=()):
    """The rows of a CSV file of the run.

    Args:
      name: Path in the run's folder.
      columns: Names of columns; those that are numbers come as floats, empty ones as None.
      later: Names of columns that an older version did not write; None where they are not.

    Returns:
      List of dicts with these keys; [] if there is no such file.

    Raises:
      InputError: A column is missing.
    """
    path = self._run_dir.path / name
    if not path.exists():
      return []
    with open(path, newline="", encoding="utf-8") as file:
      rows = list(csv.DictReader(file))
    missing = [column for column in columns if any(row.get(column) is None for row in rows)]
    if missing:
      raise errors.InputError(f"{path} must have {', '.join(columns)}. Missing: {missing[0]}")
    return [{c: _number(row.get(c) or "") for c in (*columns, *later)} for row in rows]

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
    found = [(part, callbacks.read_lines(self._run_dir.path / name / "probes.jsonl"))
             for part, name in self._parts()]
    return [(part, lines) for part, lines in found if lines]

  def _parts(self):
    return [(f" {part}" if self.in_parts else "", name) for part, name in enumerate(self._names)]


def _wait(share):
  return "" if share is None else f"; {share:.0%} of the last epoch waiting for data"


def _number(text):
  if text == "":
    return None
  try:
    return float(text)
  except ValueError:
    return text
