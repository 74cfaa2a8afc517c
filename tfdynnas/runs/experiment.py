"""One row of an experiment: the launchers one after the other, and what they left as numbers."""

import csv
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import time

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas import whole_file

_MEASURED = "measured.json"
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux' prctl.


def run_stage(folder, stage, command):
  """Runs a launcher to its end, unless it has ended, and keeps what it took.

  Args:
    folder: The run directory.
    stage: Name of the stage.
    command: Sequence of strings, the process.

  Raises:
    InputError: It ended with another status than 0; its own line is on stderr.
  """
  path = pathlib.Path(folder) / _MEASURED
  measured = _measured(folder)
  if stage in measured:
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
  took = {"seconds": time.monotonic() - start, "peak_mb": usage.ru_maxrss / 1024}
  whole_file.write_text(path, json.dumps({**measured, stage: took}, indent=2) + "\n")


def _die_with_parent():
  """Asks Linux to kill this child when its parent is killed, so that the run's lock is freed."""
  ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _measured(folder):
  path = pathlib.Path(folder) / _MEASURED
  return json.loads(path.read_text()) if path.exists() else {}


def describe(folder, table):
  """The numbers of a row that was trained, ranked and searched.

  Args:
    folder: The run directory.
    table: analysis.Table.

  Returns:
    dict by column of analysis.results, but for row, seed and flags.
  """
  folder = pathlib.Path(folder)
  config, ranked = _json(folder / "config.json"), _json(folder / "rank" / "statistics.json")
  found = _json(folder / "search" / "found.json")
  result = {
      "images": config["images"]["fingerprint"][:12], "archs": ranked["count"],
      "tau_low": ranked["tau_b"]["low"], "tau_high": ranked["tau_b"]["high"],
      "spearman": ranked["spearman"]["value"], "found": f"#{found['index']}",
      "tau_params": ranked["tau_b_of_costs"]["params"]["value"],
      "tau_macs": ranked["tau_b_of_costs"]["macs"]["value"],
      "peak_mb": max(stage["peak_mb"] for stage in _measured(folder).values()),
      "hours": _hours(folder), "versions": _versions(config["versions"]),
  }
  indices, scores = _ranking(folder)
  for name in analysis.results.TRUTHS:
    if table.has(name):
      truth = table.accuracy(name)
      result[f"tau_{name}"] = analysis.kendall(scores, truth[indices])
      result[f"top1_{name}"] = float(truth[found["index"]])
  return {key: f"{v:.6g}" if isinstance(v, float) else v for key, v in result.items()}


def _ranking(folder):
  """(indices, scores) of the archs that were ranked."""
  with open(folder / "rank" / "ranking.csv", newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
  return [int(row["index"]) for row in rows], [float(row["accuracy"]) for row in rows]


def _hours(folder):
  """Hours of training: of the steps that count, without what was lost with a killed process."""
  hours = 0.0
  for log in (folder / "supernet").rglob("log.csv"):
    with open(log, newline="", encoding="utf-8") as file:
      before = 0
      for row in csv.DictReader(file):
        hours += (int(row["step"]) - before) / float(row["steps_per_second"]) / 3600
        before = int(row["step"])
  return hours


def _versions(versions):
  return " ".join(f"{name}-{versions[name]}" for name in ("tensorflow", "keras", "jax")
                  if name in versions)


def _json(path):
  try:
    return json.loads(path.read_text())
  except (OSError, ValueError) as error:
    raise errors.InputError(f"{path} must be whole JSON. Received: {error}") from error
