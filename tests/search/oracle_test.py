"""The evolution oracle: proposals from trials, parallel workers, and no other search resumed."""

import json

import keras_tuner
import pytest

from tfdynnas import errors
from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.search import durable
from tfdynnas.search import hyperparameters
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import tuner as tuner_lib

NB201 = spaces.nasbench201()
SETTINGS = search.Settings(population=4, generations=2, parents=2, mutants=2, crossovers=1)


def _score(arch):
  return {"accuracy": NB201.index(arch) % 97 / 97, "loss": 1.0}


def _tuner(folder, space=NB201, limits=None, settings=SETTINGS, seed=0, oracle_more=None,
           more=None):
  oracle = oracle_lib.EvolutionOracle(space, limits, settings, seed, fingerprint=oracle_more)
  return tuner_lib.SupernetTuner(oracle, space, _score, folder, "p", fingerprint=more)


def _archs(tuner):
  return [row["arch"] for row in tuner.history()]


def test_seed_zero_gives_the_same_trials_twice(tmp_path):
  tuners = [_tuner(tmp_path / str(number), seed=seed) for number, seed in enumerate((0, 0, 1))]
  for tuner in tuners:
    tuner.search()
  first, second, other = map(_archs, tuners)
  assert len(set(first)) == SETTINGS.evaluations
  assert first == second != other
  assert json.loads((tmp_path / "0/p/oracle.json").read_text())["seed"] == 0


def test_the_oracle_proposes_what_the_pure_function_says(tmp_path):
  tuner = _tuner(tmp_path)
  tuner.search()
  evaluated = [(row["arch"], (row["accuracy"], -row["loss"])) for row in tuner.history()]
  for count, (arch, _) in enumerate(evaluated):
    assert search.next_arch(tuner.limited, SETTINGS, 0, evaluated[:count]) == arch


def _run_two_workers(folder, last_first):
  """Two workers that always have a trial each, ended in either order."""
  tuner, idle = _tuner(folder), 0
  oracle = tuner.oracle
  oracle.verbose = 0
  while True:
    trials = [oracle.create_trial(worker) for worker in ("one", "two")]
    running = [trial for trial in trials if trial.status == "RUNNING"]
    idle += sum(trial.status == "IDLE" for trial in trials)
    if not running:
      return _archs(tuner), idle
    for trial in running[::-1] if last_first else running:
      oracle.update_trial(trial.trial_id, tuner.run_trial(trial))
      trial.status = "COMPLETED"
      oracle.end_trial(trial)


def test_parallel_workers_change_nothing(tmp_path):
  alone = _tuner(tmp_path / "alone")
  alone.search()
  for number, last_first in enumerate((False, True)):
    archs, idle = _run_two_workers(tmp_path / str(number), last_first)
    assert archs == _archs(alone) and not idle


def test_a_worker_waits_for_the_generation_before(tmp_path):
  oracle = _tuner(tmp_path).oracle
  oracle.verbose = 0
  trials = [oracle.create_trial(f"worker{number}") for number in range(6)]
  assert [trial.status for trial in trials] == ["RUNNING"] * 4 + ["IDLE"] * 2
  for trial in trials[:4]:
    oracle.update_trial(trial.trial_id, {"accuracy": 0.5})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
  assert oracle.create_trial("worker5").status == "RUNNING"


OTHER_CELLS = spaces.nasbench201(cells=2)
OTHER_CHOICES = spaces.cell_space("nasbench201", [
    spaces.Operation("none", "zero"), spaces.Operation("skip_connect", "identity")])


@pytest.mark.parametrize("change, message", [
  ({"seed": 7}, "seed=0 there, 7 here"),
  ({"limits": {"params": 500_000}}, "limits.params=None there, 500000 here"),
  ({"space": OTHER_CELLS}, r"space.costs.params='73306 to .* there, '"),
  ({"space": OTHER_CHOICES}, r"1<-0='none\|skip_.*avg_pool_3x3' there, 'none\|skip_connect' here"),
  ({"settings": search.Settings(5, 2, 2, 2, 1)}, "settings.population=4 there, 5 here"),
  ({"oracle_more": {"supernet": "b"}}, "supernet=None there, 'b' here"),
  ({"more": {"data": {"split": [1, 2]}}}, r"data.split=None there, \[1, 2\] here"),
])
def test_another_search_is_not_resumed(tmp_path, change, message):
  _tuner(tmp_path).search()
  before = {file: file.read_bytes() for file in tmp_path.rglob("*.json")}
  with pytest.raises(errors.InputError, match=message):
    _tuner(tmp_path, **change)
  assert before == {file: file.read_bytes() for file in tmp_path.rglob("*.json")}


def test_more_generations_continue_the_same_search(tmp_path):
  short, long = _tuner(tmp_path / "a"), search.Settings(4, 6, 2, 2, 1)
  short.search()
  continued, whole = _tuner(tmp_path / "a", settings=long), _tuner(tmp_path / "b", settings=long)
  for tuner in (continued, whole):
    tuner.search()
  assert continued.history() == whole.history() and len(whole.history()) == 28


def test_an_exhausted_space_stops_the_search(tmp_path):
  flat = spaces.Space("flat", (spaces.Decision("a", ("x", "y")), spaces.Decision("b", ("x", "y"))),
                      {"params": spaces.Cost(0, ((0, 1), (0, 2)))})
  oracle = oracle_lib.EvolutionOracle(flat, {"params": 2}, seed=0)
  tuner = tuner_lib.SupernetTuner(oracle, flat, lambda arch: {"accuracy": 0.5}, tmp_path, "p")
  tuner.search()
  assert sorted(_archs(tuner)) == [(0, 0), (0, 1), (1, 0)]


@pytest.mark.parametrize("arguments, message", [
  ({"seed": -1}, "seed"), ({"seed": 0.5}, "seed"), ({"max_trials": 0}, "max_trials"),
  ({"limits": {"params": 1}}, "The least is 73306"),
])
def test_wrong_arguments_are_refused(arguments, message):
  with pytest.raises(errors.InputError, match=message):
    oracle_lib.EvolutionOracle(NB201, **arguments)


def test_any_oracle_becomes_durable(tmp_path):
  class Random(durable.DurableOracle, keras_tuner.oracles.RandomSearchOracle):
    """keras-tuner's random search, with whole files and a seed 0."""

  found = []
  for name, stops in (("whole", [12]), ("parts", [3, 7, 12])):
    for stop in stops:
      oracle = Random(objective=oracle_lib.objective(), max_trials=stop, seed=0,
                      hyperparameters=hyperparameters.to_hyperparameters(NB201))
      tuner = tuner_lib.SupernetTuner(oracle, NB201, _score, tmp_path, name)
      tuner.search()
    found.append(tuner.history())
  assert found[0] == found[1] and len(found[0]) == 12
  assert list(map(int, oracle.trials)) == list(range(12))  # Their files are 0, 1, 2, 3, ..., 07.


def _dead(tuner):
  return [arch for arch in _archs(tuner) if not NB201.connected(arch)]


MANY = search.Settings(population=100, generations=1, parents=1, mutants=0, crossovers=0)


def test_archs_without_a_signal_are_proposed_only_if_asked(tmp_path):
  """Of 200 random archs about 200 * 341 / 15625 = 4 are such."""
  tuners = []
  for number, unconnected in enumerate((False, True)):
    oracle = oracle_lib.EvolutionOracle(NB201, settings=MANY, unconnected=unconnected)
    tuners.append(tuner_lib.SupernetTuner(oracle, NB201, _score, tmp_path / str(number), "p"))
    tuners[-1].search()
  assert not _dead(tuners[0]) and _dead(tuners[1])
  with pytest.raises(errors.InputError, match="connected=True there, False here"):
    oracle = oracle_lib.EvolutionOracle(NB201, settings=MANY, unconnected=True)
    tuner_lib.SupernetTuner(oracle, NB201, _score, tmp_path / "0", "p")


def test_a_search_of_the_version_before_goes_on_as_it_was(tmp_path):
  """Its file does not say `connected`; it proposed archs without a signal."""
  def make(folder, most, **more):
    oracle = oracle_lib.EvolutionOracle(NB201, settings=MANY, max_trials=most, **more)
    return tuner_lib.SupernetTuner(oracle, NB201, _score, folder, "p")

  whole = make(tmp_path / "whole", 200, unconnected=True)
  whole.search()
  make(tmp_path / "old", 120, unconnected=True).search()
  path = tmp_path / "old" / "p" / "oracle.json"
  state = json.loads(path.read_text())
  del state["fingerprint"]["connected"]
  path.write_text(json.dumps(state))
  resumed = make(tmp_path / "old", 200)
  resumed.search()
  assert _archs(resumed) == _archs(whole) and _dead(resumed)
  assert _archs(make(tmp_path / "old", 200)) == _archs(whole)  # Once more.


def _both(arch):
  """An accuracy, and a balanced one that orders the archs the other way round."""
  index = NB201.index(arch)
  return {"accuracy": index / NB201.size, "balanced_accuracy": 1 - index / NB201.size, "loss": 1.0}


@pytest.mark.parametrize("name, pick", [("accuracy", max), ("balanced_accuracy", min)])
def test_the_objective_decides_what_is_best(tmp_path, name, pick):
  oracle = oracle_lib.EvolutionOracle(NB201, settings=SETTINGS, objective=name)
  tuner = tuner_lib.SupernetTuner(oracle, NB201, _both, tmp_path, "p")
  tuner.search()
  rows = tuner.history()
  assert tuner.best()[0] == pick(_archs(tuner), key=NB201.index)
  assert [row["trial"] for row in tuner.front(["params"])] == [
      row["trial"] for row in sorted(rows, key=lambda row: row["params"])
      if not any(other["params"] <= row["params"] and other[name] > row[name]
                 or other["params"] < row["params"] and other[name] >= row[name] for other in rows)]
  evaluated = [(row["arch"], (row[name], -1.0)) for row in rows]
  for count, (arch, _) in enumerate(evaluated):
    assert search.next_arch(oracle.limited, SETTINGS, 0, evaluated[:count]) == arch
  tuner.write_trials_csv(tmp_path / "trials.csv")
  assert "balanced_accuracy" in (tmp_path / "trials.csv").read_text()
  other = {"accuracy": "balanced_accuracy", "balanced_accuracy": "accuracy"}[name]
  with pytest.raises(errors.InputError, match="objective"):
    again = oracle_lib.EvolutionOracle(NB201, settings=SETTINGS, objective=other)
    tuner_lib.SupernetTuner(again, NB201, _both, tmp_path, "p")


def test_an_objective_that_the_score_does_not_give_ends_the_search(tmp_path):
  oracle = oracle_lib.EvolutionOracle(NB201, settings=SETTINGS, objective="balanced_accuracy")
  tuner = tuner_lib.SupernetTuner(oracle, NB201, _score, tmp_path, "p")
  with pytest.raises(ValueError, match="balanced_accuracy in"):
    tuner.search()
  with pytest.raises(errors.InputError, match="one of accuracy, balanced_accuracy"):
    oracle_lib.EvolutionOracle(NB201, objective="val_accuracy")
