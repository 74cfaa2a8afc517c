"""Searches in a space of 2e17 archs: nothing lists it, and limits are exact still."""

import itertools

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import tuner as tuner_lib

SPACE = spaces.mobilenet()
SETTINGS = search.Settings(population=6, generations=2, parents=2, mutants=2, crossovers=2)


def _score(arch):
  return {"accuracy": sum(arch) % 13 / 13, "loss": 1.0}


def _searched(folder, limits):
  oracle = oracle_lib.EvolutionOracle(SPACE, limits, SETTINGS, seed=1)
  tuner = tuner_lib.SupernetTuner(oracle, SPACE, _score, folder, "p")
  tuner.search()
  return tuner.history()


def test_evolution_within_limits_and_again(tmp_path):
  limits = {"params": 3_500_000, "macs": 300_000_000}
  rows = _searched(tmp_path / "first", limits)
  assert len({row["arch"] for row in rows}) == len(rows) == SETTINGS.evaluations
  for row in rows:
    assert SPACE.parse(row["string"]) == row["arch"]
    assert row["params"] == SPACE.cost(row["arch"], "params") <= limits["params"]
    assert row["macs"] == SPACE.cost(row["arch"], "macs") <= limits["macs"]
  again = _searched(tmp_path / "second", limits)
  assert [row["arch"] for row in again] == [row["arch"] for row in rows]


def test_archs_within_a_tight_limit_are_all_found():
  least = SPACE.bounds("macs")[0]
  most = least + 8_000_000
  # The choices that alone stay within, tried in all their combinations: 11 664.
  rows = [np.array(row) - min(row) for row in SPACE.costs["macs"].table]
  cheap = [np.flatnonzero(row <= most - least) for row in rows]
  assert np.prod([len(own) for own in cheap]) == 11664
  within = {arch for arch in itertools.product(*cheap) if SPACE.cost(arch, "macs") <= most}
  found = list(spaces.LimitedSpace(SPACE, {"macs": most}).archs())
  assert len(found) == len(set(found)) == len(within) and set(found) == within


def test_the_least_is_the_smallest_arch():
  limits = {"params": SPACE.bounds("params")[0], "macs": SPACE.bounds("macs")[0]}
  limited = spaces.LimitedSpace(SPACE, limits)
  rng = np.random.default_rng(0)
  assert limited.sample(rng) == SPACE.smallest()
  assert limited.sample(rng, {SPACE.smallest()}) is None
  with pytest.raises(errors.InputError, match="The least is 102528896"):
    spaces.LimitedSpace(SPACE, {"macs": 102_528_895})
