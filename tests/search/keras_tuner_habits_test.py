"""What users of keras-tuner rely on, point by point of its own tests of oracles and tuners."""

import copy
import json
import threading

import keras
import keras_tuner
import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.search import hyperparameters
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import stock_oracles
from tfdynnas.search import tuner as tuner_lib

NB201 = spaces.nasbench201()
NAMES = hyperparameters.names(NB201)
SETTINGS = search.Settings(population=4, generations=1, parents=2, mutants=2, crossovers=1)


def _score(arch):
  return {"accuracy": NB201.index(arch) / 15625}


def _evolution(**arguments):
  return oracle_lib.EvolutionOracle(NB201, settings=SETTINGS, **arguments)


def _pareto(**arguments):
  return oracle_lib.ParetoOracle(NB201, settings=SETTINGS, **arguments)


def _random(**arguments):
  return stock_oracles.RandomSearchOracle(
      oracle_lib.objective(), max_trials=8,
      **{"hyperparameters": hyperparameters.to_hyperparameters(NB201), **arguments})


ORACLES = pytest.mark.parametrize("make", [_evolution, _pareto, _random])
OURS = pytest.mark.parametrize("make", [_evolution, _pareto])


def _tuner(make, folder, score=_score, **arguments):
  return tuner_lib.SupernetTuner(make(**arguments), NB201, score, folder, "p")


@OURS
def test_fixed_and_fewer_values_narrow_the_search(tmp_path, make):
  given = keras_tuner.HyperParameters()
  given.Fixed(NAMES[0], "nor_conv_3x3")
  for name in NAMES[1:]:
    given.Choice(name, ["skip_connect", "nor_conv_1x1"])
  tuner = _tuner(make, tmp_path, hyperparameters=given)
  tuner.search()
  archs = [row["arch"] for row in tuner.history()]
  assert len(set(archs)) == 8 and {arch[0] for arch in archs} == {3}
  assert {choice for arch in archs for choice in arch[1:]} == {1, 2}


@OURS
def test_other_decisions_are_searched_pinned_or_refused(tmp_path, make):
  given = keras_tuner.HyperParameters()
  given.Choice(NAMES[5], ["nor_conv_3x3", "nor_conv_1x1"])
  assert make(hyperparameters=given).limited.space.allowed == (*[(0, 1, 2, 3, 4)] * 5, (2, 3))
  # All others are the first choice, `none`, and no signal passes: which an oracle leaves out.
  with pytest.raises(errors.InputError, match="a signal passes"):
    make(hyperparameters=given, tune_new_entries=False)
  pinned = make(hyperparameters=given, tune_new_entries=False, unconnected=True)
  assert set(pinned.limited.space.archs()) == {(0, 0, 0, 0, 0, 2), (0, 0, 0, 0, 0, 3)}
  with pytest.raises(errors.InputError, match=f"needs all.* Received: none for {NAMES[0]}"):
    make(hyperparameters=given, allow_new_entries=False)
  for name in ("allow_new_entries", "tune_new_entries"):
    with pytest.raises(errors.InputError, match=f"`{name}=False`.* Received: none"):
      make(**{name: False})


@OURS
@pytest.mark.parametrize("name, values, expected", [
    ("decision_0_1_O", ["none"], "Received: decision_0_1_O, which is none"),
    (NAMES[0], ["none", "conv"], f"`{NAMES[0]}` .* takes some of none, .* Received: .'none', 'co"),
])
def test_entries_of_no_decision_or_choice_are_refused(make, name, values, expected):
  given = keras_tuner.HyperParameters()
  given.Choice(name, values)
  with pytest.raises(errors.InputError, match=expected):
    make(hyperparameters=given)


def test_entries_with_conditions_are_refused():
  given = keras_tuner.HyperParameters()
  given.Choice(NAMES[0], ["none", "skip_connect"])
  with given.conditional_scope(NAMES[0], ["none"]):
    given.Choice(NAMES[1], ["none", "skip_connect"])
  with pytest.raises(errors.InputError, match="always. Received: one with conditions"):
    _evolution(hyperparameters=given)


@ORACLES
def test_a_score_may_be_one_number(tmp_path, make):
  tuner = _tuner(make, tmp_path, lambda arch: np.float32(arch[0] / 8))
  tuner.search()
  assert len(tuner.history()) == 8
  assert all(row["accuracy"] == row["arch"][0] / 8 for row in tuner.history())
  assert all(row["loss"] is None for row in tuner.history())


def test_a_score_that_is_neither_a_number_nor_a_mapping_fails_its_trial(tmp_path):
  with pytest.raises(errors.InputError, match="3 trials in a row failed, the last one: .*float"):
    _tuner(_evolution, tmp_path, lambda arch: None).search()


@ORACLES
@pytest.mark.parametrize("by", ["place", "name"])
def test_a_trial_is_ended_by_its_id(tmp_path, make, by):
  oracle = make(seed=0)
  oracle._set_project_dir(tmp_path, "p")
  trial = oracle.create_trial("one")
  values = copy.copy(trial.hyperparameters.values)
  with pytest.raises(errors.InputError, match="0 must report accuracy before it is completed"):
    oracle.end_trial(trial.trial_id, "COMPLETED")
  oracle.update_trial(trial.trial_id, {"accuracy": 0.25})
  if by == "place":
    oracle.end_trial(trial.trial_id, "COMPLETED")
  else:
    oracle.end_trial(trial_id=trial.trial_id, status="COMPLETED")
  (ended,) = oracle.get_best_trials()
  assert (ended.score, ended.status, ended.hyperparameters.values) == (0.25, "COMPLETED", values)
  assert not oracle.ongoing_trials and oracle.end_order == [trial.trial_id]
  second = oracle.create_trial("one")
  oracle.end_trial(second.trial_id, "INVALID")  # None of its retries is left.
  assert oracle.get_trial(second.trial_id).status == "FAILED"


@ORACLES
def test_the_state_goes_from_one_oracle_to_another_before_there_is_a_folder(make):
  state = json.loads(json.dumps(make(seed=4).get_state()))
  other = make(seed=None)
  other.set_state(state)
  assert other.get_state() == state and other.seed == 4
  with pytest.raises(errors.InputError, match="in this state must be the one .*seed=4 there"):
    make(seed=5).set_state(state)


@ORACLES
def test_without_a_seed_a_search_is_its_own_and_resumes_as_itself(tmp_path, make):
  assert len({make(seed=None).seed for _ in range(9)}) > 1
  tuner = _tuner(make, tmp_path, seed=None)
  tuner.search()
  again = _tuner(make, tmp_path, seed=None)
  again.search()
  assert again.history() == tuner.history() and again.oracle.seed == tuner.oracle.seed
  with pytest.raises(errors.InputError, match="seed=\\d+ there"):
    _tuner(make, tmp_path, seed=20_000)  # Beyond what is drawn.


@ORACLES
@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, True, "0"])
def test_seeds_out_of_range_are_refused(make, seed):
  with pytest.raises(errors.InputError, match=r"`seed` must be an integer in \[0, 2\*\*32\)"):
    make(seed=seed)


HEARD = []


class _Listener(keras.callbacks.Callback):
  """Notes what it hears, and how often this copy of it heard something."""

  def __init__(self):
    super().__init__()
    self.count = 0

  def __deepcopy__(self, memo):
    return type(self)()

  def on_train_begin(self, logs=None):
    self.count += 1
    HEARD.append(("begin", self.count))

  def on_epoch_end(self, epoch, logs=None):
    HEARD.append(("epoch", epoch, logs["accuracy"], logs["params"]))

  def on_train_end(self, logs=None):
    HEARD.append(("end", self.count))


@ORACLES
def test_callbacks_hear_of_each_trial_by_copies_of_their_own(tmp_path, make):
  HEARD.clear()
  tuner = _tuner(make, tmp_path)
  tuner.search(callbacks=[_Listener()])
  rows = tuner.history()
  assert HEARD[::3] == [("begin", 1)] * 8 and HEARD[2::3] == [("end", 1)] * 8
  assert HEARD[1::3] == [("epoch", 0, row["accuracy"], row["params"]) for row in rows]


class _Stuck(keras.callbacks.Callback):

  def __deepcopy__(self, memo):
    raise TypeError("cannot be copied")


@pytest.mark.parametrize("callbacks, expected", [
    ([_Stuck()], "copyable.* Received: cannot be copied"),
    ([keras.callbacks.EarlyStopping()], "need no model.* Received: EarlyStopping"),
    ([print], "must be Keras callbacks.* Received: builtin"),
])
def test_callbacks_that_a_search_cannot_serve_are_refused_at_once(tmp_path, callbacks, expected):
  tuner = _tuner(_evolution, tmp_path)
  with pytest.raises(errors.InputError, match=expected):
    tuner.search(callbacks=callbacks)
  assert not tuner.oracle.trials


@ORACLES
def test_the_best_trials_hyperparameters_and_summaries(tmp_path, make, capsys):
  tuner = _tuner(make, tmp_path)
  assert tuner.remaining_trials == 8
  tuner.search()
  assert tuner.remaining_trials == 0
  scores = [trial.score for trial in tuner.oracle.get_best_trials(8)]
  assert scores == sorted(scores, reverse=True) and len(scores) == 8
  (best,) = tuner.get_best_hyperparameters()
  assert hyperparameters.to_arch(NB201, best) == tuner.best()[0]
  tuner.search_space_summary()
  tuner.results_summary(2)
  shown = capsys.readouterr().out
  assert f"{NAMES[0]} (Choice)" in shown and f"Score: {scores[0]}" in shown


@ORACLES
def test_overwriting_begins_anew(tmp_path, make):
  _tuner(make, tmp_path, seed=1).search()
  fresh = tuner_lib.SupernetTuner(make(seed=2), NB201, _score, tmp_path, "p", overwrite=True)
  assert not fresh.oracle.trials and fresh.oracle.seed == 2


@ORACLES
def test_a_worker_that_asks_twice_gets_its_trial_and_others_get_others(tmp_path, make):
  oracle = make(seed=0)
  oracle._set_project_dir(tmp_path, "p")
  one, two = oracle.create_trial("a"), oracle.create_trial("b")
  assert oracle.create_trial("a") is one and two.trial_id == "1"
  assert one.hyperparameters.values != two.hyperparameters.values


@ORACLES
def test_trials_that_fail_are_tried_again_as_often_as_asked(tmp_path, make):
  tries = []

  def score(arch):
    tries.append(arch)
    if len(tries) < 3:
      raise RuntimeError("not yet")
    return 0.5

  tuner = _tuner(make, tmp_path, score, max_retries_per_trial=2)
  tuner.search()
  assert tries[0] == tries[1] == tries[2] and len(tuner.history()) == 8


@ORACLES
def test_threads_that_share_an_oracle_get_the_trials_of_one(tmp_path, make):
  """As many trials at once as a generation has, and only then their ends."""
  alone, shared = make(seed=0), make(seed=0)
  for name, oracle in (("alone", alone), ("shared", shared)):
    oracle._set_project_dir(tmp_path, name)
  for number in range(4):
    alone.create_trial(str(number))
  both, begun, barrier = [threading.Barrier(4) for _ in range(2)], [], threading.Barrier(4)

  def work(number):
    both[0].wait()
    trial = shared.create_trial(str(number))
    begun.append(trial.trial_id)
    barrier.wait()
    shared.update_trial(trial.trial_id, {"accuracy": 0.5})
    both[1].wait()
    shared.end_trial(trial.trial_id, "COMPLETED")

  threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert sorted(begun) == sorted(shared.end_order) == ["0", "1", "2", "3"]
  assert [shared.trials[i].hyperparameters.values for i in "0123"] == [
      alone.trials[i].hyperparameters.values for i in "0123"]


@ORACLES
def test_an_error_in_one_thread_does_not_stop_the_others(tmp_path, make):
  oracle = make(seed=0)
  oracle._set_project_dir(tmp_path, "p")
  trial = oracle.create_trial("a")
  with pytest.raises(errors.InputError, match="must report"):
    oracle.end_trial(trial.trial_id, "COMPLETED")
  other = threading.Thread(target=oracle.create_trial, args=["b"], daemon=True)
  other.start()
  other.join(60)
  assert not other.is_alive() and set(oracle.ongoing_trials) == {"a", "b"}


@ORACLES
def test_a_search_read_over_knows_what_another_process_added(tmp_path, make):
  first, scored = _tuner(make, tmp_path, seed=0), []
  first.save()
  watching = _tuner(make, tmp_path, lambda arch: scored.append(arch) or 0.5, seed=0)
  first.search()
  assert watching.history() == []
  watching.reload()
  assert watching.history() == first.history() and watching.done == 8
  watching.search()
  assert not scored and watching.remaining_trials == 0


@ORACLES
def test_nothing_is_printed_unless_asked(tmp_path, make, capsys):
  _tuner(make, tmp_path).search()
  _tuner(make, tmp_path).search(verbose=0)
  assert capsys.readouterr().out == ""


@ORACLES
def test_failed_trials_are_not_tried_again_and_fatal_errors_end_the_search(tmp_path, make):
  tries = []

  def fail(kind):
    def score(arch):
      tries.append(arch)
      if len(tries) in (2, 3):
        raise kind("no")
      return 0.5
    return score

  tuner = _tuner(make, tmp_path / "failed", fail(keras_tuner.errors.FailedTrialError),
                 max_retries_per_trial=3)
  tuner.search()
  assert len(tries) == 8 and len(tuner.history()) == 6
  tries.clear()
  with pytest.raises(keras_tuner.errors.FatalError, match="no"):
    _tuner(make, tmp_path / "fatal", fail(keras_tuner.errors.FatalError)).search()
  assert len(tries) == 2


def test_another_kind_of_search_in_the_same_place_is_refused(tmp_path):
  _tuner(_random, tmp_path, seed=0).search()
  grid = stock_oracles.GridSearchOracle(oracle_lib.objective(), max_trials=8, seed=0)
  with pytest.raises(errors.InputError, match="oracle='RandomSearchOracle' there, 'GridSearchOr"):
    tuner_lib.SupernetTuner(grid, NB201, _score, tmp_path, "p")
  with pytest.raises(errors.InputError, match="must be the one that was begun"):
    _tuner(_evolution, tmp_path, seed=0)


@pytest.mark.parametrize("arguments, expected", [
    ({"oracle": "random"}, "Received: str"), ({"hypermodel": print}, "hypermodel"),
    ({"executions_per_trial": 3}, "executions_per_trial"),
])
def test_arguments_that_it_does_not_have_are_refused(tmp_path, arguments, expected):
  given = {"oracle": _evolution(), "space": NB201, "score": _score, **arguments}
  with pytest.raises((ValueError, TypeError), match=expected):
    tuner_lib.SupernetTuner(directory=tmp_path, **given)


@ORACLES
def test_a_metric_goes_the_way_its_objective_says(tmp_path, make):
  tuner = _tuner(make, tmp_path, lambda arch: {"accuracy": 0.5, "loss": 2.0})
  tuner.search()
  metrics = next(iter(tuner.oracle.trials.values())).metrics
  assert [metrics.get_direction(name) for name in ("accuracy", "loss", "params", "macs")] == [
      "max", "min", "min", "min"]


def test_equal_scores_and_failed_trials_do_not_stop_the_bayesian_search(tmp_path):
  small = spaces.cell_space("small", [spaces.Operation("skip", "identity"),
                                      spaces.Operation("conv", "conv", 3)], nodes=3)
  tries = []

  def score(arch):
    tries.append(arch)
    if len(tries) == 2:
      raise keras_tuner.errors.FailedTrialError("no")
    return 0.0

  oracle = stock_oracles.BayesianOptimizationOracle(
      oracle_lib.objective(), max_trials=6, num_initial_points=3, seed=0)
  tuner = tuner_lib.SupernetTuner(oracle, small, score, tmp_path, "p")
  oracle.save()  # Before there is a result.
  tuner.search()
  statuses = [oracle.trials[trial_id].status for trial_id in "012345"]
  assert statuses == ["COMPLETED", "FAILED", *["COMPLETED"] * 4] and len(tuner.history()) == 5
