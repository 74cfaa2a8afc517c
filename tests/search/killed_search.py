"""A search that is killed again and again: `killed_search.py FOLDER KILLS SEED`, prints JSON.

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

SETTINGS = search.Settings(population=8, generations=4, parents=3, mutants=3, crossovers=3)
LIMITS = search.Limits(max_params=800_000)


def score(arch):
  """A made-up accuracy and loss, the same for an arch whenever it is asked; takes 20 ms."""
  time.sleep(0.02)
  digest = hashlib.sha256(repr(arch).encode()).digest()
  return {"accuracy": digest[0] / 255, "loss": digest[1] / 255}


def make_tuner(folder, name):
  """The tuner of the project `name`, new or resumed."""
  space = spaces.nasbench201()
  oracle = search.EvolutionOracle(space, LIMITS, SETTINGS, seed=3)
  return search.SupernetTuner(oracle, space, score, folder, name)


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


def kill_some(folder, kills, rng):
  """Kills a running search `kills` times; returns how many trials there were after each."""
  trials = []
  while len(trials) < kills:
    child = start(folder, "killed")
    time.sleep(rng.uniform(0.0, 2.0 / kills + 0.1))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    path = os.path.join(folder, "killed")
    found = os.listdir(path) if os.path.isdir(path) else []
    trials.append(sum(name.startswith("trial_") for name in found))
    if not os.WIFSIGNALED(status):
      if os.WEXITSTATUS(status):
        sys.exit(f"a resumed search failed with status {status}")
      break  # It ended before the kill.
  return trials


def main():
  """Prints the kills' trial counts, and the history of the killed and the unharmed search."""
  folder, kills, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
  trials = kill_some(folder, kills, random.Random(seed))
  histories = []
  for name in ("killed", "unharmed"):
    _, status = os.waitpid(start(folder, name), 0)
    if status:
      sys.exit(f"the search `{name}` failed with status {status}")
    histories.append(make_tuner(folder, name).history())
  print(json.dumps({"trials": trials, "killed": histories[0], "unharmed": histories[1]}))


if __name__ == "__main__":
  main()
