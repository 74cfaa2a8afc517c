"""One row of an experiment: its launchers, one after the other, and their results as numbers."""

import ctypes
import json
import os
import pathlib
import signal
import subprocess
import time

import numpy as np

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas.files import atomic
from tfdynnas.files import identity
from tfdynnas.files import json_schema
from tfdynnas.report import reader

_MEASURED = "measured.json"
_NUMBER = (None, json_schema.CORRELATION)
# The files that a row is read from: name -> schema, as `json_schema.check` takes it.
_KINDS = {
    "config.json": {
        "images": {"fingerprint": str}, "supernet": {"momentum_groups": str}, "versions": {str: str}
    },
    "device.json": {"peak_bytes": json_schema.COUNT},
    "found.json": {"index": json_schema.COUNT},
    _MEASURED: {str: {"told?": str, **dict.fromkeys(("seconds", "peak_mb"), json_schema.POSITIVE)}},
    "method.json": {"backend": str, "split_decision_name": str},
    "statistics.json": {
        "count": json_schema.COUNT, "tau_b": {"low": _NUMBER, "high": _NUMBER},
        "spearman": {"value": _NUMBER},
        "tau_b_of_costs": dict.fromkeys(("params", "macs"), {"value": _NUMBER}),
    },
}
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux' prctl.


def run_stage(folder, stage, command, told):
  """Runs a launcher, unless it has been run, and records its time and memory.

  Args:
    folder: The run directory.
    stage: Name of the stage.
    command: Sequence of strings, the command line.
    told: str, all that its result depends on.

  Raises:
    InputError: Its exit status is not 0 (its own line is on stderr), or it has been run with
      another `told`.
  """
  path = pathlib.Path(folder) / _MEASURED
  measured = _measured(folder)
  if stage in measured:
    rule = f"{stage} of {folder} must be of the same flags; give another run_dir"
    identity.refuse_other(rule, {"flags": measured[stage].get("told")}, {"flags": told})
    return
  start = time.monotonic()
  process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=_die_with_parent)
  _, status, usage = os.wait4(process.pid, 0)
  process.returncode = os.waitstatus_to_exitcode(status)
  if process.returncode:
    raise errors.InputError(
        f"{stage} of {folder} must end with status 0. Received: {process.returncode}; "
        "the same command goes on from there"
    )
  took = {
      "told": told, "seconds": time.monotonic() - start, "peak_mb": usage.ru_maxrss / 1024
  }
  atomic.write_text(path, json.dumps({**measured, stage: took}, indent=2) + "\n")


def _die_with_parent():
  """Asks Linux to kill this child when its parent is killed, so that the run's lock is freed."""
  ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _measured(folder):
  path = pathlib.Path(folder) / _MEASURED
  return _json(path) if path.exists() else {}


def describe(folder, table, searched=True):
  """The numbers of a trained, ranked and searched row.

  Args:
    folder: The run directory.
    table: analysis.Table.
    searched: bool, whether the row has a search; without one its columns are left out.

  Returns:
    dict, column of analysis.results -> value, without row, seed and flags; "" or None where a
    number is undefined.
  """
  folder = pathlib.Path(folder)
  config, ranked = _json(folder / "config.json"), _json(folder / "rank" / "statistics.json")
  result = {
      "split": _split(folder, config), "images": config["images"]["fingerprint"][:12],
      "archs": ranked["count"],
      "tau_low": ranked["tau_b"]["low"], "tau_high": ranked["tau_b"]["high"],
      "spearman": ranked["spearman"]["value"],
      "tau_params": ranked["tau_b_of_costs"]["params"]["value"],
      "tau_macs": ranked["tau_b_of_costs"]["macs"]["value"],
      "peak_mb": max(stage["peak_mb"] for stage in _measured(folder).values()),
      "device_mb": _device_mb(folder), "hours": _hours(folder),
      "versions": _versions(folder, config["versions"]),
      **_against(table, *_ranking(folder, table)),
  }
  if searched:
    found = _json(folder / "search" / "found.json")["index"]
    _check_known(folder, table, found)
    result["found"] = f"#{found}"
    result.update((f"top1_{name}", float(truth[found])) for name, truth in _truths(table))
  return {key: _text(value) for key, value in result.items()}


def _text(value):
  """A float as text, "" if it is not finite; other values as they are."""
  if not isinstance(value, float):
    return value
  return f"{value:.6g}" if np.isfinite(value) else ""


def _truths(table):
  return [(name, table.accuracy(name)) for name in analysis.results.TRUTHS if table.has(name)]


def _against(table, indices, scores):
  """The tau against each truth of the table, over the archs that have it."""
  taus = {}
  for name, truth in _truths(table):
    known = np.isfinite(truth[indices])
    if np.sum(known) >= 2:
      taus[f"tau_{name}"] = analysis.kendall(scores[known], truth[indices][known])
  return taus


def _ranking(folder, table):
  """(indices, scores) of the archs that were ranked: int64 [archs], float64 [archs]."""
  rows = reader.rows(folder / "rank" / "ranking.csv", ("index", "accuracy"))
  _check_known(folder, table, max((row["index"] for row in rows), default=0))
  indices = np.array([row["index"] for row in rows], np.int64)
  return indices, np.array([row["accuracy"] for row in rows])


def _check_known(folder, table, index):
  """Raises InputError if an arch is not in the table."""
  if index >= table.size:
    raise errors.InputError(
        f"{folder} must have archs of {table.name}, which has {table.size}. Received: #{index}"
    )


def _split(folder, config):
  """Name of the decision that MS splits, the same in all parts of a few-shot run; "" without MS."""
  if config["supernet"]["momentum_groups"] != "split":
    return ""
  return _json(next((folder / "supernet").rglob("method.json")))["split_decision_name"]


def _device_mb(folder):
  """The most memory of an accelerator that a training held, MiB; None on a CPU."""
  peaks = [_json(path)["peak_bytes"] for path in (folder / "supernet").rglob("device.json")]
  return max(peaks) / 2**20 if peaks else None


def _hours(folder):
  """Hours of training: its steps at the median pace of its epochs.

  Steps lost with a killed process and the compilation after a resume do not count; the median
  ignores the pace of an epoch in which that happened.
  """
  hours = 0.0
  for log in (folder / "supernet").rglob("log.csv"):
    rows = reader.rows(log, ("step", "steps_per_second"))
    if not rows:
      raise errors.InputError(f"{log} must have a row for each epoch. Received: none")
    seconds = np.median([1 / row["steps_per_second"] for row in rows])
    hours += rows[-1]["step"] * seconds / 3600
  return float(hours)


def _versions(folder, versions):
  """The back end that trained last, and Keras, with their versions."""
  backend = _json(next((folder / "supernet").rglob("method.json")))["backend"]
  return " ".join(f"{name}-{versions.get(name, '?')}" for name in (backend, "keras"))


def _json(path):
  return json_schema.read(path, _KINDS[path.name])
