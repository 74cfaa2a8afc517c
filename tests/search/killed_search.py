"""A search that is killed again and again: `killed_search.py FOLDER KILLS SEED KIND`, prints JSON.

Each search is a process of its own, forked from this one so that keras-tuner is imported once.
"""

import hashlib
import json
import os
import random
import signal
import sys
import time

from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import stock_oracles
from tfdynnas.search import tuner as tuner_lib

SETTINGS = search.Settings(population=8, generations=4, parents=3, mutants=3, crossovers=3)
LIMITS = spaces.Limits(max_params=800_000)


def score(arch):
  """A made-up accuracy and loss, the same for an arch whenever it is asked; takes 20 ms."""
  time.sleep(0.02)
  digest = hashlib.sha256(repr(arch).encode()).digest()
  return {"accuracy": digest[0] / 255, "loss": digest[1] / 255}


def make_tuner(folder, name):
  """The tuner of the project `name`, new or resumed."""
  space = spaces.nasbench201()
  kinds = {"evolution": oracle_lib.EvolutionOracle, "pareto": oracle_lib.ParetoOracle}
  if sys.argv[4] in kinds:
    oracle = kinds[sys.argv[4]](space, limits=LIMITS, settings=SETTINGS, seed=3)
  else:
    oracle = stock_oracles.RandomSearchOracle(oracle_lib.objective(), max_trials=40, seed=3)
  return tuner_lib.SupernetTuner(oracle, space, score, folder, name)


def start(folder, name):
  """Starts the search in a child process and returns its id."""
  child = os.fork()
  if child:
    return child
  code = 1
  try:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    make_tuner(folder, name).search()
    code = 0
  finally:
    os._exit(code)


def run_to_its_end(folder, name):
  """Runs the search to its end and returns its history."""
  _, status = os.waitpid(start(folder, name), 0)
  if status:
    sys.exit(f"the search `{name}` failed with status {status}")
  return make_tuner(folder, name).history()


def kill_one(folder, name, seconds):
  """Kills the search after some seconds; returns how many trials it had, None if it had ended."""
  child = start(folder, name)
  time.sleep(seconds)
  os.kill(child, signal.SIGKILL)
  _, status = os.waitpid(child, 0)
  if status not in (0, signal.SIGKILL):
    sys.exit(f"the search `{name}` failed with status {status} when it was resumed")
  path = os.path.join(folder, name)
  found = os.listdir(path) if os.path.isdir(path) else []
  return sum(trial.startswith("trial_") for trial in found) if status else None


def main():
  """Prints what each kill left, and the histories of the killed and of the unharmed search."""
  folder, kills, rng = sys.argv[1], int(sys.argv[2]), random.Random(int(sys.argv[3]))
  trials, killed = [], []
  while len(trials) < kills:  # A search that ends before it is killed is followed by another.
    name = f"killed{len(killed)}"
    left = kill_one(folder, name, rng.uniform(0.0, 0.6))
    if left is None:
      killed.append(run_to_its_end(folder, name))
    else:
      trials.append(left)
  killed.append(run_to_its_end(folder, f"killed{len(killed)}"))
  unharmed = run_to_its_end(folder, "unharmed")
  print(json.dumps({"trials": trials, "killed": killed, "unharmed": unharmed}))


if __name__ == "__main__":
  main()
