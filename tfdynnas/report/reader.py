"""The results of the jobs in a run directory, read only."""

from tfdynnas.files import csv_file
from tfdynnas.files import json_schema
from tfdynnas.training import callbacks

FOUND, RANKED = "search/found.json", "rank/statistics.json"
_MEAN, _SHARE, _COSINE = (
    (kind, None) for kind in (float, json_schema.SHARE, json_schema.CORRELATION)
)
_PROBE = {
    "step": json_schema.COUNT,
    "archs": [{"index": json_schema.COUNT, "complexity": json_schema.POSITIVE, "accuracy": _SHARE}],
    "classes": [{"class": json_schema.COUNT, "accuracy": _SHARE,
                 **dict.fromkeys(("loss", "learning_rate"), _MEAN)}],
    "cosines": dict.fromkeys(("within", "across"), _COSINE),
    "momentum": dict.fromkeys(("own", "other", "mean"), _COSINE),
}
# Ranges of columns whose numbers must be more than finite.
_COLUMNS = {
    **dict.fromkeys(("accuracy", "balanced_accuracy"), json_schema.SHARE),
    "truth": json_schema.PERCENT,
    **dict.fromkeys(("step", "trial", "index"), json_schema.COUNT),
    **dict.fromkeys(("params", "macs", "bytes", "latency", "complexity", "data_wait"),
                    json_schema.POSITIVE),
    "steps_per_second": json_schema.Number(1e-9),
}


class Reader:
  """Reads the files of a run; missing ones read as None or empty.

  Attributes:
    path: pathlib.Path of the run's folder, as given.
    in_parts: bool, whether it is a few-shot run.
  """

  def __init__(self, run_dir, space, names):
    """Makes the reader.

    Args:
      run_dir: jobs.RunDir.
      space: spaces.Space of the run.
      names: List of str, the folder of each training of the supernet, in the run's folder.
    """
    self._run_dir, self._space, self._names = run_dir, space, names
    self.path = run_dir.path
    self.in_parts = len(names) > 1

  def json(self, name):
    """Content of a JSON file of the run, or None if there is no such file."""
    if not (self._run_dir.path / name).exists():
      return None
    found = self._run_dir.read_json(name)
    if "arch" in found:
      self._run_dir.read_arch(name, self._space)
    return found

  def networks(self):
    """Results of the networks trained on their own; the one found comes first."""
    folders = ["subnet", *sorted(path.name for path in self.path.glob("subnet_[0-9]*"))]
    return [found for found in (self.json(f"{name}/result.json") for name in folders) if found]

  def baselines(self):
    """The baselines of the network found; None if there are none, or they are of another search."""
    found, record = self.json(FOUND), self.json("baselines.json")
    return record if found and record and record["found"]["arch"] == found["arch"] else None

  def rows(self, name, numbers, maybe=(), texts=()):
    """The rows of a CSV file of the run, as the function `rows` reads them; [] if it is missing."""
    path = self._run_dir.path / name
    return rows(path, numbers, maybe, texts) if path.exists() else []

  def trainings(self):
    """Yields (part, description) of each training; part is "", or " 0", " 1" of a few-shot run."""
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
    """List of (part, rows of the log) of the trainings that have a log."""
    columns = ("step", "loss", "accuracy")
    found = [(part, self.rows(f"{name}/log.csv", columns)) for part, name in self._parts()]
    return [(part, rows) for part, rows in found if rows]

  def probes(self):
    """List of (part, probes) of the trainings that have probes."""
    found = []
    for part, name in self._parts():
      lines = callbacks.read_lines(self._run_dir.path / name / "probes.jsonl", _PROBE)
      if lines:
        found.append((part, lines))
    return found

  def _parts(self):
    return [(f" {part}" if self.in_parts else "", name) for part, name in enumerate(self._names)]


def rows(path, numbers, maybe=(), texts=()):
  """The rows of a CSV file.

  Args:
    path: The file.
    numbers: Names of columns of finite numbers, each in its column's range.
    maybe: The same, but None where a row has no number: unknown, or of an older version.
    texts: Names of columns of text.

  Returns:
    List of dicts with these keys.

  Raises:
    InputError: The file is missing or not CSV, or a column is missing or of another type.
  """
  what = f"a file of rows of {', '.join((*numbers, *texts))}"
  kinds = {name: _COLUMNS.get(name, float) for name in (*numbers, *maybe)}
  kinds.update((name, (kinds[name], None)) for name in maybe)
  return csv_file.cells(path, csv_file.read(path, what)[1], {**kinds, **dict.fromkeys(texts, str)})


def _wait(share):
  return "" if share is None else f"; {share:.0%} of the last epoch waiting for data"
