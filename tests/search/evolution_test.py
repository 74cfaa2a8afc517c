"""The evolution as a pure function, on landscapes whose best arch is known."""

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.search import evolution

NB201 = spaces.nasbench201()
EVERYTHING = spaces.LimitedSpace(NB201)
RANDOM = {"mutants": 0, "crossovers": 0}


def _run(settings, seed, fitness, limited=EVERYTHING):
  evaluated = []
  for generation in range(settings.generations + 1):
    proposed = search.propose(limited, settings, seed, generation, list(evaluated))
    evaluated += [(arch, fitness(arch)) for arch in proposed]
  return evaluated


def _landscape(seed):
  """(fitness, greatest fitness): each choice of each edge is worth something of its own."""
  worth = np.random.default_rng(1000 + seed).normal(size=(6, 5))
  return lambda arch: (worth[np.arange(6), arch].sum(),), worth.max(axis=1).sum()


def test_evolution_comes_closer_to_the_best_than_random_search():
  missing = {"evolution": [], "random": []}
  for seed in range(10):
    fitness, best = _landscape(seed)
    for name, how in (("evolution", {}), ("random", RANDOM)):
      evaluated = _run(search.Settings(generations=5, **how), seed, fitness)
      missing[name].append(best - max(value for _, (value,) in evaluated))
  evolved, random = np.mean(missing["evolution"]), np.mean(missing["random"])
  assert evolved < 0.1 * random, f"missing after 300 archs: {evolved}, {random}"
  assert np.sum(np.array(missing["evolution"]) < 1e-9) >= 8  # Of 10 the very best of 15 625.


def test_the_published_settings_evaluate_1050_distinct_archs():
  settings = search.Settings()
  evaluated = _run(settings, 0, _landscape(0)[0])
  assert len(evaluated) == len({arch for arch, _ in evaluated}) == settings.evaluations == 1050


def test_a_seed_decides_everything_and_zero_is_a_seed():
  settings, fitness = search.Settings(generations=2), _landscape(1)[0]
  runs = [_run(settings, seed, fitness) for seed in (0, 0, 1)]
  assert runs[0] == runs[1] != runs[2]


def test_next_arch_continues_from_any_point():
  settings, fitness = search.Settings(6, 2, 2, 2, 2), _landscape(2)[0]
  evaluated = _run(settings, 5, fitness)
  for count in range(len(evaluated)):
    assert search.next_arch(EVERYTHING, settings, 5, evaluated[:count]) == evaluated[count][0]


def test_limits_are_obeyed():
  limited = spaces.LimitedSpace(NB201, {"params": 400_000, "macs": 60_000_000})
  evaluated = _run(search.Settings(generations=4), 0, _landscape(3)[0], limited)
  assert len(evaluated) == 250 and all(limited.meets(arch) for arch, _ in evaluated)


def test_children_come_from_the_best_of_all_earlier_generations():
  earlier = _run(search.Settings(50, 1, mutants=0, crossovers=0), 0, _landscape(3)[0])
  best = [arch for arch, _ in sorted(earlier, key=lambda item: -item[1][0])[:10]]
  mutants = search.propose(EVERYTHING, search.Settings(mutants=8, crossovers=0), 0, 2, earlier)[:8]
  for mutant in mutants:
    assert min(sum(a != b for a, b in zip(mutant, arch)) for arch in best) <= 3
  settings = search.Settings(mutants=0, crossovers=2, tries=100)
  for child in search.propose(EVERYTHING, settings, 0, 2, earlier)[:2]:
    assert any(all(c in pair for c, pair in zip(child, zip(mother, father)))
               for mother in best for father in best)


def test_of_equal_accuracy_the_lesser_loss_then_the_earlier_is_parent():
  evaluated = [((0,), (0.5, -2.0)), ((1,), (0.5, -1.0)), ((2,), None), ((3,), (0.5, -1.0)),
               ((4,), (0.6, -9.0))]
  assert evolution.best(evaluated, 4) == [(4,), (1,), (3,), (0,)]


def test_an_exhausted_space_ends():
  limited = spaces.LimitedSpace(NB201, {"params": 73306})  # 729 archs without a convolution.
  evaluated = _run(search.Settings(), 0, _landscape(0)[0], limited)
  assert len(evaluated) == len({arch for arch, _ in evaluated}) == 729
  assert search.propose(limited, search.Settings(), 0, 15, evaluated) == ()


def test_a_generation_that_failed_whole_is_followed_by_a_random_one():
  settings = search.Settings(5, 2, 2, 2, 2)
  assert len({arch for arch, _ in _run(settings, 0, lambda arch: None)}) == 15


@pytest.mark.parametrize("settings", [
  {"population": 0}, {"parents": 0}, {"mutants": -1}, {"mutants": 40}, {"tries": 0},
  {"mutation_probability": 1.1}, {"generations": -1},
])
def test_wrong_settings_are_refused(settings):
  with pytest.raises(errors.InputError, match="Received"):
    search.Settings(**settings)


def test_the_least_settings_are_allowed():
  least = {"population": 1, "generations": 0, "parents": 1, "mutants": 0, "crossovers": 0,
           "tries": 1, "mutation_probability": 0}
  assert vars(search.Settings(**least)) == least
