"""Launchers as real processes, and what is left of a run when they are killed or refused."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np

from tests.tools import forked

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KILLS = int(os.environ.get("TFDYNNAS_KILLS", 2))
SPACE = ("--space=tests.small_cells:make_space", "--channels=2")
TINY = ("--dataset=digits", *SPACE, "--epochs=2", "--deterministic")
TRAIN = (*TINY, "--checkpoint_steps=2")  # 15 steps per epoch.
SEARCH = ("--trials=15", "--population=6", "--parents=3", "--mutants=3", "--crossovers=3",
          "--score_images=64", "--score_batch=32")
ARCH = "--arch=#23"
SUBNET = (ARCH, "--subnet_epochs=6", "--subnet_batch=128", "--checkpoint_steps=3",
          "--deterministic")


def command(tool, *flags):
  """The command line of a launcher."""
  return [sys.executable, str(ROOT / "tools" / f"{tool}.py"), *flags]


def start(tool, *flags, **settings):
  """Starts a launcher, as a process of `forked`."""
  return forked.Process(command(tool, *flags)[1:], **settings)


def run(tool, *flags, **settings):
  """Runs a launcher to its end: subprocess.CompletedProcess with texts."""
  process = start(tool, *flags, **settings)
  out, err = process.communicate()
  return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run_alone(tool, *flags, **kwargs):
  """The same with all that its start takes: for settings that imports read, and once a tool."""
  return subprocess.run(command(tool, *flags), capture_output=True, text=True, **kwargs)


def succeed(tool, *flags, run=run):
  """Runs a launcher that must succeed; returns what it printed."""
  result = run(tool, *flags)
  assert result.returncode == 0, f"{tool} {flags}: {result.stderr}"
  return result.stdout


def refusal(result, status=2):
  """The one line of a launcher that refused."""
  lines = result.stderr.splitlines()
  assert result.returncode == status and len(lines) == 1, f"{result.returncode}: {result.stderr}"
  return lines[0]


def kill(seed, tool, *flags):
  """Kills a launcher at a random moment: while it starts, or while it works.

  Args:
    seed: Int that the moment follows from.
    tool: Name of the launcher.
    *flags: Its flags.

  Returns:
    True if it was killed, False if it had ended.
  """
  rng = random.Random(seed)
  process = start(tool, *flags)
  if rng.random() < 0.15:
    time.sleep(rng.uniform(0.0, 4.0))  # While it starts.
  else:
    process.wait_for_line()  # The first sign of progress.
    time.sleep(rng.uniform(0.0, 0.5))
  process.kill()
  status = process.wait()
  assert status in (0, -signal.SIGKILL), f"{tool} ended with {status}"
  return status != 0


def wait_for(path, process):
  """Waits until a file is there, which the process makes before it ends."""
  while not path.exists():
    assert process.poll() is None, f"ended with {process.returncode} without {path}"
    time.sleep(0.02)


def training(folder):
  """All that a training left, but for timings: arrays of the checkpoint, its record, the log."""
  with np.load(folder / "checkpoint.npz") as file:
    arrays = {name: file[name] for name in file.files}
  record = json.loads(bytes(arrays.pop("record")))
  for row in record["rows"]:
    del row["steps_per_second"], row["data_wait"]
  log = [line.rsplit(",", 2)[0] for line in (folder / "log.csv").read_text().splitlines()]
  return arrays, record, log


def difference(one, other):
  """What differs between two results of `training`, "" if every bit is the same."""
  if one[0].keys() != other[0].keys():
    return "names of arrays"
  for name, array in one[0].items():
    if array.dtype != other[0][name].dtype or array.tobytes() != other[0][name].tobytes():
      return name
  return "" if one[1:] == other[1:] else f"{one[1:]} and {other[1:]}"


def files(folder):
  """Every file below a folder: dict, path -> (size, time of the last change)."""
  found = [path for path in folder.rglob("*") if path.is_file()]
  return {str(p.relative_to(folder)): (p.stat().st_size, p.stat().st_mtime_ns) for p in found}
