"""keras-tuner's oracles through our tuner: a seed is a search, also in parts and narrowed."""

import keras_tuner
import pytest

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.search import durable
from tfdynnas.search import hyperparameters
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import stock_oracles
from tfdynnas.search import tuner as tuner_lib

NB201 = spaces.nasbench201()
SMALL = spaces.cell_space("small", [spaces.Operation("skip", "identity"),
                                    spaces.Operation("conv", "conv", 3),
                                    spaces.Operation("pool", "avg_pool", 3)], nodes=3)
KINDS = [(stock_oracles.RandomSearchOracle, {}), (stock_oracles.GridSearchOracle, {}),
         (stock_oracles.BayesianOptimizationOracle, {"num_initial_points": 5})]


def _score(arch):
  return {"accuracy": (7 * arch[0] + 3 * arch[1] + arch[2]) % 23 / 23}


def _tuner(kind, folder, name="p", space=SMALL, trials=8, **arguments):
  oracle = kind(objective=oracle_lib.objective(), max_trials=trials, **arguments)
  return tuner_lib.SupernetTuner(oracle, space, _score, folder, name)


def _archs(tuner):
  tuner.search()
  return [row["arch"] for row in tuner.history()]


@pytest.mark.parametrize("kind, more", KINDS)
def test_a_seed_is_a_search_however_often_it_is_begun(tmp_path, kind, more):
  whole = _archs(_tuner(kind, tmp_path, "whole", seed=0, **more))
  assert len(set(whole)) > 5 and whole == _archs(_tuner(kind, tmp_path, "again", seed=0, **more))
  for stop in (2, 6, 7, 8):  # Bayesian: random, one that was fitted, and the last.
    parts = _archs(_tuner(kind, tmp_path, "parts", trials=stop, seed=0, **more))
    assert parts == whole[:stop]
  if kind is not stock_oracles.GridSearchOracle:
    assert whole != _archs(_tuner(kind, tmp_path, "other", seed=1, **more))


@pytest.mark.parametrize("kind, more", KINDS)
def test_another_seed_is_refused_and_none_takes_that_of_the_project(tmp_path, kind, more):
  begun = _archs(_tuner(kind, tmp_path, trials=3, seed=5, **more))
  with pytest.raises(errors.InputError, match="seed=5 there, 6 here"):
    _tuner(kind, tmp_path, seed=6, **more)
  resumed = _tuner(kind, tmp_path, trials=4, seed=None, **more)
  assert _archs(resumed)[:3] == begun and resumed.oracle.seed == 5
  free = [_tuner(kind, tmp_path, str(number), **more).oracle.seed for number in range(9)]
  assert len(set(free)) > 1


def test_other_settings_of_the_bayesian_search_are_refused(tmp_path):
  kind = stock_oracles.BayesianOptimizationOracle
  _archs(_tuner(kind, tmp_path, trials=2, seed=0, num_initial_points=5))
  with pytest.raises(errors.InputError, match="num_initial_points=5 there, None here; beta=2.6"):
    _tuner(kind, tmp_path, seed=0, beta=1.0)


def test_the_grid_is_all_archs_defaults_first():
  given = keras_tuner.HyperParameters()
  given.Choice(hyperparameters.names(SMALL)[0], ["skip", "conv"], default="conv")
  given.Fixed(hyperparameters.names(SMALL)[1], "pool")
  oracle = stock_oracles.GridSearchOracle(
      oracle_lib.objective(), hyperparameters=hyperparameters.completed(SMALL, given))
  found = [oracle.populate_space(str(number)) for number in range(7)]
  values = [[one["values"][name] for name in hyperparameters.names(SMALL)] for one in found[:6]]
  assert values == [[first, "pool", last] for first in ("conv", "skip")
                    for last in ("skip", "conv", "pool")]
  assert found[6]["status"] == "STOPPED"


def test_a_grid_search_ends_by_itself(tmp_path):
  assert _archs(_tuner(stock_oracles.GridSearchOracle, tmp_path, trials=None)) == list(
      SMALL.archs())


@pytest.mark.parametrize("kind, more", KINDS)
def test_hyperparameters_narrow_the_space(tmp_path, kind, more):
  first, second, third = hyperparameters.names(SMALL)
  given = keras_tuner.HyperParameters()
  given.Fixed(first, "conv")
  given.Choice(second, ["pool", "conv"])
  tuner = _tuner(kind, tmp_path, hyperparameters=given, seed=0, **more)
  found = set(_archs(tuner))
  assert found <= {(1, b, c) for b in (1, 2) for c in (0, 1, 2)} and len(found) > 2
  assert [entry.name for entry in given.space] == [first, second]  # The user's are as they were.
  with pytest.raises(errors.InputError, match="left.1<-0='conv' there, None here"):
    _tuner(kind, tmp_path, seed=0, **more)


@pytest.mark.parametrize("kind, more", KINDS)
def test_new_entries_are_pinned_or_refused_if_so_asked(tmp_path, kind, more):
  given = keras_tuner.HyperParameters()
  given.Choice(hyperparameters.names(SMALL)[0], ["pool", "conv"])
  pinned = _tuner(kind, tmp_path, hyperparameters=given, tune_new_entries=False, **more)
  assert set(_archs(pinned)) <= {(1, 0, 0), (2, 0, 0)}
  with pytest.raises(errors.InputError, match="`allow_new_entries=False` needs all.*2<-0|_2_0"):
    _tuner(kind, tmp_path, "q", hyperparameters=given, allow_new_entries=False, **more)


@pytest.mark.parametrize("kind", [
    keras_tuner.oracles.RandomSearchOracle, keras_tuner.oracles.BayesianOptimizationOracle,
    keras_tuner.oracles.GridSearchOracle, keras_tuner.oracles.HyperbandOracle,
])
def test_what_cannot_go_on_as_the_same_search_is_refused_at_once(tmp_path, kind):
  oracle = kind(oracle_lib.objective(), seed=1)
  with pytest.raises(errors.InputError, match="seed 0 for none.*Received: " + kind.__name__):
    tuner_lib.SupernetTuner(oracle, SMALL, _score, tmp_path, "p")
  assert not list(tmp_path.iterdir())


def test_hyperband_is_refused_even_if_durable(tmp_path):
  class Hyperband(durable.DurableOracle, keras_tuner.oracles.HyperbandOracle):
    """Would spend epochs, of which a score has none."""

  with pytest.raises(errors.InputError, match="need no epochs: .* Received: Hyperband"):
    tuner_lib.SupernetTuner(Hyperband(oracle_lib.objective()), SMALL, _score, tmp_path, "p")
