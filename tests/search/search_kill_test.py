"""A search that is killed, at random moments and at each of its writes, ends as the unharmed one.

TFDYNNAS_KILLS sets how many random kills there are (3).
"""

import json
import os
import pathlib
import secrets
import subprocess
import sys

import pytest

import tfdynnas
from tests import killed
from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.search import hyperparameters
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import stock_oracles
from tfdynnas.search import tuner as tuner_lib

SETTINGS = search.Settings(population=2, generations=2, parents=2, mutants=1, crossovers=1)


@pytest.mark.parametrize("kind", ["evolution", "pareto", "random"])
def test_killed_search_is_the_unharmed_one(tmp_path, kind):
  kills, seed = int(os.environ.get("TFDYNNAS_KILLS", 3)), secrets.randbelow(2**31)
  root = pathlib.Path(tfdynnas.__file__).resolve().parent.parent
  script = pathlib.Path(__file__).with_name("killed_search.py")
  result = subprocess.run(
      [sys.executable, str(script), str(tmp_path), str(kills), str(seed), kind], text=True,
      env={**os.environ, "PYTHONPATH": str(root), "KERAS_BACKEND": "numpy"}, capture_output=True)
  assert result.returncode == 0, f"seed {seed}: {result.stderr}"
  found = json.loads(result.stdout.splitlines()[-1])
  print(f"seed {seed}: trials after each kill: {found['trials']}")
  assert len(found["unharmed"]) == 40
  assert len(found["trials"]) == kills
  for history in found["killed"]:
    assert history == found["unharmed"], f"seed {seed}, trials after each kill: {found['trials']}"


STOCK = {"random": stock_oracles.RandomSearchOracle, "grid": stock_oracles.GridSearchOracle}


def _make_oracle(kind, space):
  if kind == "evolution":
    return oracle_lib.EvolutionOracle(space, None, SETTINGS, seed=0)
  if kind == "pareto":
    return oracle_lib.ParetoOracle(space, ("macs", "params"), settings=SETTINGS, seed=0)
  return STOCK[kind](objective=oracle_lib.objective(), max_trials=SETTINGS.evaluations, seed=0,
                     hyperparameters=hyperparameters.to_hyperparameters(space))


def _tuner(kind, folder, scored):
  space = spaces.nasbench201()

  def score(arch):
    scored.append(arch)
    return {"accuracy": space.index(arch) % 97 / 97}

  return tuner_lib.SupernetTuner(_make_oracle(kind, space), space, score, folder, "p")


@pytest.mark.filterwarnings("error:The use case of calling")  # A killed trial left a report.
@pytest.mark.parametrize("kind", ["evolution", "pareto", "random", "grid"])
@pytest.mark.parametrize("after", [False, True])
def test_death_at_any_write_changes_nothing(tmp_path, kind, after):
  unharmed = _tuner(kind, tmp_path / "unharmed", [])
  with killed.at_call(os, "replace", -1, after) as writes:
    unharmed.search()
  assert len(unharmed.history()) == SETTINGS.evaluations and len(writes) > 24
  for number in range(len(writes) + 2):
    folder, scored = tmp_path / str(number), []
    with killed.at_call(os, "replace", number, after):
      _tuner(kind, folder, scored).search()
    resumed = _tuner(kind, folder, scored)
    resumed.search()
    assert resumed.history() == unharmed.history(), f"write {number}"
    assert resumed.oracle.start_order == resumed.oracle.end_order == list(unharmed.oracle.trials)
    assert len(scored) <= SETTINGS.evaluations + 1, f"write {number}: scored again"


def test_a_trial_that_only_its_file_knows_is_not_proposed_again(tmp_path):
  oracle = _tuner("random", tmp_path, []).oracle
  with killed.at_call(os, "replace", 0):
    oracle.create_trial("one")
  oracle = _tuner("random", tmp_path, []).oracle
  trials = [oracle.create_trial(worker) for worker in ("one", "two")]
  assert [trial.trial_id for trial in trials] == ["0", "1"]
  assert trials[0].hyperparameters.values != trials[1].hyperparameters.values
