"""Fronts, crowding and the search for a front, on cases that were made by hand or enumerated."""

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import pareto
from tfdynnas.search import tuner as tuner_lib

INF = np.inf


def _toy():
  """(space, accuracy): 1024 archs; each choice is worth something and costs something."""
  rng = np.random.default_rng(4)
  costs = rng.integers(1, 100, size=(2, 5, 4))
  tables = dict(zip(("params", "macs"), (tuple(map(tuple, t.tolist())) for t in costs)))
  worth = rng.random((5, 4))
  space = spaces.Space(
      "toy", tuple(spaces.Decision(f"d{n}", ("a", "b", "c", "d")) for n in range(5)),
      {"complexity": spaces.Cost(1, tables["params"]), "params": spaces.Cost(1, tables["params"]),
       "macs": spaces.Cost(2, tables["macs"])})
  return space, lambda arch: float(worth[np.arange(5), arch].sum() / 5)


def _true_front(space, accuracy, costs, archs):
  """The archs that no other dominates, looked at one by one."""
  points = {arch: (accuracy(arch), *(-space.cost(arch, kind) for kind in costs)) for arch in archs}
  return {
      arch for arch, own in points.items()
      if not any(other != own and all(a >= b for a, b in zip(other, own))
                 for other in points.values())
  }


def test_sorting_puts_equals_and_ties_where_they_belong():
  points = [(3, 1), (1, 3), (2, 2), (2, 2), (2, 1), (1, 1), (3, 0), (0, 0)]
  # (2, 1) is beneath (3, 1) and (2, 2); (3, 0) beneath (3, 1) alone; (1, 1) beneath (2, 1) too.
  assert pareto.fronts(points).tolist() == [0, 0, 0, 0, 1, 2, 1, 3]
  assert pareto.fronts([]).tolist() == []
  assert pareto.fronts([(1, 1)] * 3).tolist() == [0, 0, 0]
  assert pareto.fronts([(1,), (2,), (2,)]).tolist() == [1, 0, 0]
  # With a third objective, ties in two of them.
  assert pareto.fronts([(1, 1, 0), (1, 1, 1), (0, 1, 2), (1, 0, 1)]).tolist() == [1, 0, 0, 1]


def test_crowding_is_the_gap_between_neighbours():
  # By the first: 0, 1, 4, 10; by the second: 10, 6, 5, 0.
  found = pareto.crowding([(1, 6), (10, 0), (0, 10), (4, 5)])
  assert found.tolist() == [0.4 + 0.5, INF, INF, 0.9 + 0.6]
  # The second (1, 6) crowds fully; the first keeps what it had without it.
  assert pareto.crowding([(1, 6), (10, 0), (0, 10), (4, 5), (1, 6)]).tolist() == [
      0.9, INF, INF, 1.5, 0.0]
  assert pareto.crowding([(1, 1), (1, 1)]).tolist() == [INF, 0]
  assert pareto.crowding([]).tolist() == []
  # An objective in which all are equal has no ends, and nothing is divided by zero.
  assert pareto.crowding([(0, 7, 2), (1, 7, 1), (2, 7, 0)]).tolist() == [INF, 1 + 1, INF]
  assert pareto.crowding([(1, 0, 7), (0, 0, 7), (2, 0, 7)]).tolist() == [1, INF, INF]


def test_crowding_does_not_depend_on_the_order_of_different_points():
  points = np.random.default_rng(0).integers(0, 5, size=(40, 3))
  points = np.unique(points, axis=0)
  order = np.random.default_rng(1).permutation(len(points))
  assert np.array_equal(pareto.crowding(points)[order], pareto.crowding(points[order]))


def test_survivors_are_of_early_fronts_and_uncrowded():
  points = [(1, 6), (10, 0), (0, 10), (4, 5), (9, 0), (0, 9)]
  assert pareto.select(points, 6) == [1, 2, 3, 0, 4, 5]
  assert pareto.select(points, 3) == [1, 2, 3]
  assert pareto.select([], 3) == []


def _search(space, accuracy, costs, settings, limits=None):
  limited, evaluated = spaces.LimitedSpace(space, limits), []
  for generation in range(settings.generations + 1):
    proposed = pareto.propose(limited, settings, 0, generation, list(evaluated))
    evaluated += [(arch, pareto.point(space, arch, accuracy(arch), costs)) for arch in proposed]
  return [arch for arch, _ in evaluated]


@pytest.mark.parametrize("costs", [("params",), ("params", "macs")])
def test_the_whole_front_is_found_where_random_search_misses_most_of_it(costs):
  space, accuracy = _toy()
  truth = _true_front(space, accuracy, costs, map(space.arch, range(space.size)))
  found, random = (
      set(_search(space, accuracy, costs, search.Settings(50, 9, 1, children, children, 0.3)))
      for children in (25, 0)
  )
  assert len(found) == len(random) == 500 and len(truth) == {1: 10, 2: 34}[len(costs)]
  assert truth <= found, f"missed {len(truth - found)} of {len(truth)}"
  assert len(truth - random) > len(truth) / 3


def test_limits_bound_the_front():
  space, accuracy = _toy()
  limits = {"macs": sum(space.bounds("macs")) // 2}
  settings = search.Settings(20, 10, mutants=10, crossovers=10, mutation_probability=0.25)
  archs = _search(space, accuracy, ("params",), settings, limits)
  assert len(archs) == 220 and all(spaces.meets(space, arch, limits) for arch in archs)


def _tuner(folder, settings, costs=("params", "macs"), seed=0):
  space, accuracy = _toy()
  oracle = oracle_lib.ParetoOracle(space, costs, None, settings, seed)
  score = lambda arch: {"accuracy": accuracy(arch), "loss": 1.0}
  return tuner_lib.SupernetTuner(oracle, space, score, folder, "p")


def test_the_oracle_proposes_what_the_pure_function_says_and_its_front_is_that_of_the_trials(
    tmp_path):
  space, accuracy = _toy()
  settings = search.Settings(6, 3, mutants=3, crossovers=2)
  tuner = _tuner(tmp_path, settings)
  tuner.search()
  archs = _search(space, accuracy, ("params", "macs"), settings)
  assert [row["arch"] for row in tuner.history()] == archs
  front = tuner.front(("macs",))
  assert {row["arch"] for row in front} == _true_front(space, accuracy, ("macs",), archs)
  assert [row["macs"] for row in front] == sorted(row["macs"] for row in front)
  tuner.write_trials_csv(tmp_path / "front.csv", front)
  assert len((tmp_path / "front.csv").read_text().splitlines()) == 1 + len(front)


def test_a_search_is_not_resumed_for_other_costs(tmp_path):
  settings = search.Settings(4, 1, mutants=2, crossovers=1)
  _tuner(tmp_path, settings).search()
  with pytest.raises(errors.InputError, match="pareto_costs='params,macs' there, 'macs' here"):
    _tuner(tmp_path, settings, ("macs",))


def test_a_search_is_resumed_whatever_parents_it_was_begun_with(tmp_path):
  _tuner(tmp_path, search.Settings(4, 1, parents=3, mutants=2, crossovers=1)).search()
  again = _tuner(tmp_path, search.Settings(4, 2, parents=10, mutants=2, crossovers=1))
  again.search()
  assert len(again.history()) > 4


@pytest.mark.parametrize("costs", [(), ("macs", "macs"), ("latency",)])
def test_wrong_costs_are_refused(costs):
  with pytest.raises(errors.InputError, match="`costs` must be some of complexity, params, macs"):
    oracle_lib.ParetoOracle(_toy()[0], costs)
