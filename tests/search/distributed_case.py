"""One process of a search by several: `distributed_case.py FOLDER LOST TRIAL START`, in seconds.

Prints a line as soon as a trial is there, and at the end the history if it knows one, as JSON.
"""

import hashlib
import json
import sys
import time

from tfdynnas import errors
from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import tuner as tuner_lib
from tfdynnas.search.distributed import roles

SETTINGS = search.Settings(population=6, generations=4, parents=3, mutants=2, crossovers=2)


def score(arch):
  """A made-up accuracy and loss, numbers that 32 bits do not hold."""
  print("scores", flush=True)
  time.sleep(float(sys.argv[3]))
  digest = hashlib.sha256(repr(arch).encode()).digest()
  return {"accuracy": digest[0] / 255, "loss": digest[1] / 255}


def make_tuner(folder, lost, start):
  """The tuner, as what the environment says."""
  space = spaces.nasbench201()
  oracle = oracle_lib.EvolutionOracle(space, settings=SETTINGS, seed=3)
  return tuner_lib.SupernetTuner(
      oracle, space, score, folder, "p", lost_seconds=float(lost), start_seconds=float(start))


def main(folder, lost, _, start):
  """Searches."""
  tuner = make_tuner(folder, lost, start)
  tuner.search()
  print(json.dumps([] if roles.role() == "worker" else tuner.history()))


if __name__ == "__main__":
  try:
    main(*sys.argv[1:5])
  except (errors.LostError, errors.InputError) as error:
    sys.exit(str(error))
