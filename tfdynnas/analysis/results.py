"""Results of an experiment: one CSV line per row and seed, and the table made from them."""

import contextlib
import fcntl
import os
import pathlib
import statistics

from tfdynnas import errors
from tfdynnas.files import csv_file
from tfdynnas.files import identity
from tfdynnas.files import json_schema
from tfdynnas.files import regular_file

TRUTHS = ("cifar10", "cifar100", "imagenet16_120")  # Columns of the paper's table.
COLUMNS = (
    "row", "seed", "flags", "split", "images", "archs",
    *(f"tau_{name}" for name in TRUTHS), "tau_low", "tau_high", "spearman", "tau_params",
    "tau_macs", "found", *(f"top1_{name}" for name in TRUTHS), "peak_mb", "device_mb",
    "hours", "versions",
)
_KEYS = {"row", "seed", "flags"}
_NUMBERS = {  # Columns of numbers; an empty cell is unknown.
    name: (kind, None) for kind, names in (
        (json_schema.CORRELATION, (*(f"tau_{name}" for name in TRUTHS), "tau_low", "tau_high",
                                 "spearman", "tau_params", "tau_macs")),
        (json_schema.PERCENT, [f"top1_{name}" for name in TRUTHS]),
        (json_schema.POSITIVE, ("archs", "peak_mb", "device_mb", "hours")),
    ) for name in names
}


def read_results(path):
  """Reads the lines of a results file.

  Args:
    path: CSV file; a missing one has no lines.

  Returns:
    List of dicts of strings by column; a column that the file lacks is empty.

  Raises:
    InputError: It has other columns, or impossible numbers.
  """
  path = pathlib.Path(path)
  if not path.exists():
    return []
  columns, rows = csv_file.read(path, "a file of results", regular_file.MOST_BYTES)
  if not _KEYS <= set(columns) <= set(COLUMNS) or len(set(columns)) < len(columns):
    raise errors.InputError(
        f"{path} must have the columns {', '.join(COLUMNS)}. Received: "
        f"{', '.join(columns) or 'none'}"
    )
  csv_file.cells(path, rows, _NUMBERS)
  return [{**dict.fromkeys(COLUMNS, ""), **row} for row in rows]


def append_result(path, result):
  """Adds a line; several processes may do so at once.

  Args:
    path: CSV file, made if it is missing.
    result: dict by column; a column that is missing or None stays empty.
  """
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  with _locked(path.parent):
    csv_file.write(path, COLUMNS, [*read_results(path), result])


@contextlib.contextmanager
def _locked(folder):
  """Holds a lock on a folder itself, so that no lock file is left in it."""
  handle = os.open(folder, os.O_RDONLY)
  try:
    fcntl.flock(handle, fcntl.LOCK_EX)
    yield
  finally:
    os.close(handle)


def has_result(results, row, seed, flags):
  """Whether there is a line for a row and seed.

  Args:
    results: Lines as from `read_results`.
    row: Name of the row.
    seed: int.
    flags: Text of the flags that made it.

  Raises:
    InputError: There is one, made with other flags.
  """
  for result in results:
    if (result["row"], result["seed"]) == (row, str(seed)):
      rule = (f"Row {row!r} of seed {seed} must be of the same flags: name it otherwise, or give "
              "other --results")
      identity.refuse_other(rule, {"flags": result["flags"]}, {"flags": flags})
      return True
  return False


def results_table(results):
  """The paper's table: mean and standard deviation over seeds.

  Args:
    results: Lines as from `read_results`, rows in the order to show.

  Returns:
    str, a Markdown table; `n/a` where a number is unknown, no deviation for a single seed.
  """
  heads = ["method", "seeds"]
  heads += [f"{name} {what}" for name in TRUTHS for what in ("tau", "top-1")]
  heads += ["tau of params", "MB", "device MB", "hours"]
  lines = [heads, ["---"] * len(heads)]
  for row in dict.fromkeys(result["row"] for result in results):
    own = [result for result in results if result["row"] == row]
    keys = [f"{what}_{name}" for name in TRUTHS for what in ("tau", "top1")]
    cells = [_mean(own, key, 3 if key.startswith("tau") else 2) for key in keys]
    last = {"tau_params": 3, "peak_mb": 0, "device_mb": 0, "hours": 2}
    cells += [_mean(own, key, digits) for key, digits in last.items()]
    lines.append([row, str(len(own)), *cells])
  return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _mean(results, key, digits):
  """`mean ± deviation` of a column."""
  values = [float(result[key]) for result in results if result[key]]
  if not values:
    return "n/a"
  text = f"{statistics.fmean(values):.{digits}f}"
  return text if len(values) < 2 else f"{text} ± {statistics.stdev(values):.{digits}f}"
