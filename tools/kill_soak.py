#!/usr/bin/env python3
"""Kills training and search at random moments, often, and compares: tools/kill_soak.py --kills=20

Each run is killed and repeated until it ends; then the next one begins, until there were enough
kills. Its results must equal, bit for bit, those of a run that was never killed.
"""

import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from absl import flags

from tfdynnas.tools import launch

flags.DEFINE_integer("kills", 20, "Kills of each.", lower_bound=1, module_name=sys.argv[0])
flags.DEFINE_integer("seed", 0, "Seed of the moments.", lower_bound=0, module_name=sys.argv[0])
TRAIN = ("train_supernet", "--dataset=digits", "--channels=2", "--cells=1", "--epochs=6",
         "--deterministic", "--checkpoint_steps=4")
SEARCH = ("search", "--trials=120", "--population=12", "--parents=4", "--mutants=6",
          "--crossovers=6", "--score_images=64", "--score_batch=32")


def main():
  """Prints a line for training and a line for search; exit status 1 if anything differs."""
  rng, bad = random.Random(flags.FLAGS.seed), 0
  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    _end(TRAIN, folder / "trained")
    bad += _soak("training", TRAIN, None, folder / "trained", _training, rng)
    _end(SEARCH, shutil.copytree(folder / "trained", folder / "searched"))
    bad += _soak("search", SEARCH, folder / "trained", folder / "searched", _trials, rng)
  sys.exit(1 if bad else 0)


def _soak(name, command, start, unharmed, left, rng):
  """Kills one launcher; returns how many of its results differ from those of an unharmed run."""
  kills, ends, differing = 0, 0, 0
  while kills < flags.FLAGS.kills:
    run = unharmed.with_name(f"{name}{ends}")
    if start:
      shutil.copytree(start, run)
    while kills < flags.FLAGS.kills and _kill(command, run, rng):
      kills += 1
    _end(command, run)
    ends, differing = ends + 1, differing + (left(run) != left(unharmed))
  print(f"{name}: {kills} kills, {ends} runs brought to their end, {differing} differ", flush=True)
  return differing


def _start(command, run):
  script = pathlib.Path(__file__).with_name(f"{command[0]}.py")
  return subprocess.Popen([sys.executable, str(script), *command[1:], f"--run_dir={run}"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _end(command, run):
  process = _start(command, run)
  _, said = process.communicate()
  if process.returncode:
    sys.exit(f"{command[0]} ended with {process.returncode}: {said}")


def _kill(command, run, rng):
  """Kills at a random moment, of the start or of the work; False if the run had ended."""
  process = _start(command, run)
  if rng.random() < 0.2:
    time.sleep(rng.uniform(0, 8))
  else:
    process.stderr.readline()  # The first sign of progress.
    time.sleep(rng.uniform(0, 2))
  process.send_signal(signal.SIGKILL)
  said = process.communicate()[1]
  if process.returncode not in (0, -signal.SIGKILL):
    sys.exit(f"{command[0]} ended with {process.returncode}: {said}")
  return process.returncode != 0


def _training(run):
  """Every array, and the log without its timings."""
  import numpy as np

  with np.load(run / "supernet" / "checkpoint.npz") as file:
    arrays = {name: file[name].tobytes() for name in file.files if name != "record"}
  log = (run / "supernet" / "log.csv").read_text().splitlines()
  return arrays, [line.rsplit(",", 2)[0] for line in log]


def _trials(run):
  """Every trial, and the network found."""
  return [(run / "search" / name).read_text() for name in ("trials.csv", "found.json")]


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
