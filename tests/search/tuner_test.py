"""The tuner over any oracle: scores, limits, failures, results and files."""

import csv
import json

import keras_tuner
import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.search import durable
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import stock_oracles
from tfdynnas.search import tuner as tuner_lib
from tfdynnas.search.hyperparameters import to_hyperparameters
from tfdynnas.search.hyperparameters import to_values

NB201 = spaces.nasbench201()
SETTINGS = search.Settings(population=4, generations=2, parents=2, mutants=2, crossovers=1)


def _score(arch):
  return {"accuracy": np.float32(NB201.index(arch) / 15625), "loss": np.float64(sum(arch))}


def _evolution(**arguments):
  return oracle_lib.EvolutionOracle(NB201, settings=SETTINGS, **arguments)


def _foreign(kind, **arguments):
  return kind(objective=oracle_lib.objective(), hyperparameters=to_hyperparameters(NB201),
              **arguments)


def test_results_are_plain_numbers_in_the_order_of_trials(tmp_path):
  tuner = tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p")
  tuner.search()
  rows = tuner.history()
  assert [row["trial"] for row in rows] == list(range(12))
  for row in rows:
    assert row["string"] == NB201.format(row["arch"])
    assert row["params"] == NB201.cost(row["arch"], "params")
    assert row["macs"] == NB201.cost(row["arch"], "macs")
    assert row["accuracy"] == float(_score(row["arch"])["accuracy"])
  assert json.loads(json.dumps(rows))[0]["loss"] == sum(rows[0]["arch"])
  arch, metrics = tuner.best()
  assert metrics["accuracy"] == max(row["accuracy"] for row in rows) and metrics["arch"] == arch


def test_csv_holds_the_history(tmp_path):
  tuner = tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p")
  tuner.search()
  tuner.write_trials_csv(tmp_path / "trials.csv")
  with open(tmp_path / "trials.csv", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
  for row, expected in zip(rows, tuner.history(), strict=True):
    assert NB201.parse(row["arch"]) == NB201.parse(row["string"]) == expected["arch"]
    assert float(row["accuracy"]) == expected["accuracy"]
    assert int(row["params"]) == expected["params"]
  assert not list(tmp_path.glob("*.tmp"))


def test_of_equal_accuracy_the_lesser_loss_is_best(tmp_path):
  tuner = tuner_lib.SupernetTuner(
      _evolution(), NB201, lambda arch: {"accuracy": 0.5, "loss": float(NB201.index(arch))},
      tmp_path, "p")
  tuner.search()
  assert tuner.best()[1]["loss"] == min(row["loss"] for row in tuner.history())


def test_oracles_that_know_no_limits_still_give_results_within_them(tmp_path):
  scored, limits = [], spaces.Limits(max_params=400_000)

  def score(arch):
    scored.append(arch)
    return _score(arch)

  oracle = _foreign(stock_oracles.RandomSearchOracle, max_trials=20, seed=1)
  tuner = tuner_lib.SupernetTuner(oracle, NB201, score, tmp_path, "p", limits=limits)
  tuner.search()
  assert 0 < len(scored) < 20 and scored == [row["arch"] for row in tuner.history()]
  assert all(spaces.meets(NB201, arch, limits) for arch in scored)
  beyond = [t for t in oracle.trials.values() if t.score == 0 and t.status == "COMPLETED"]
  assert len(beyond) == 20 - len(scored)


class _Repeating(durable.DurableOracle, keras_tuner.Oracle):
  """Proposes two archs in turn, for ever."""

  def populate_space(self, trial_id):
    return {"status": "RUNNING", "values": to_values(NB201, (int(trial_id) % 2,) * 6)}


def test_an_arch_is_scored_once_even_after_a_resume(tmp_path):
  scored = []

  def score(arch):
    scored.append(arch)
    return _score(arch)

  for trials in (4, 8):
    oracle = _foreign(_Repeating, max_trials=trials)
    tuner = tuner_lib.SupernetTuner(oracle, NB201, score, tmp_path, "p")
    tuner.search()
  assert scored == [(0,) * 6, (1,) * 6]
  assert [row["arch"][0] for row in tuner.history()] == [0, 1] * 4


def test_a_score_that_is_not_finite_fails_its_trial_alone(tmp_path):
  def score(arch):
    return {"accuracy": float("nan") if NB201.index(arch) % 2 else 0.5, "loss": 0.0}

  oracle = _evolution(max_consecutive_failed_trials=100)
  tuner = tuner_lib.SupernetTuner(oracle, NB201, score, tmp_path, "p")
  tuner.search()
  failed = [trial for trial in oracle.trials.values() if trial.status == "FAILED"]
  assert len(failed) + len(tuner.history()) == 12 and failed and tuner.history()
  assert "The accuracy of |" in failed[0].message.splitlines()[-1]
  again = tuner_lib.SupernetTuner(_evolution(), NB201, score, tmp_path, "p")
  again.search()
  assert again.history() == tuner.history()


def test_failures_in_a_row_end_the_search_with_the_reason(tmp_path):
  def score(arch):
    raise OSError("the disk is gone")

  tuner = tuner_lib.SupernetTuner(_evolution(), NB201, score, tmp_path, "p")
  with pytest.raises(errors.InputError, match="3 trials in a row .*the disk is gone"):
    tuner.search()
  assert [t.status for t in tuner.oracle.trials.values()] == ["FAILED"] * 3
  assert len(json.loads((tmp_path / "p/oracle.json").read_text())["end_order"]) == 3
  with pytest.raises(errors.InputError, match="was scored"):
    tuner.best()


@pytest.mark.parametrize("accuracy", [93.5, -0.1])
def test_an_accuracy_in_percent_ends_the_search(tmp_path, accuracy):
  tuner = tuner_lib.SupernetTuner(
      _evolution(), NB201, lambda arch: {"accuracy": accuracy}, tmp_path, "p")
  with pytest.raises(ValueError, match=r"\[0, 1\]"):
    tuner.search()


def test_progress_is_told_after_each_trial_and_goes_on_after_a_resume(tmp_path):
  told = []
  for trials in (2, 5):
    tuner = tuner_lib.SupernetTuner(
        _evolution(max_trials=trials), NB201, _score, tmp_path, "p",
        progress=lambda done, total, row: told.append((done, total, row["trial"])))
    tuner.search()
  assert told == [(1, 2, 0), (2, 2, 1), (3, 5, 2), (4, 5, 3), (5, 5, 4)]


def test_a_bar_and_no_table_is_shown(tmp_path, capsys):
  tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p").search(verbose=1)
  shown = capsys.readouterr().out
  assert "12/12" in shown and "Hyperparameter" not in shown and "Trial 1 " not in shown


def test_an_oracle_of_another_space_or_aim_is_refused(tmp_path):
  other = spaces.cell_space("other", [spaces.Operation("a", "identity")])
  with pytest.raises(errors.InputError, match="hyperparameters of `other`"):
    tuner_lib.SupernetTuner(_evolution(), other, _score, tmp_path, "p")
  with pytest.raises(errors.InputError, match="objective"):
    tuner_lib.SupernetTuner(_Repeating("val_loss", hyperparameters=to_hyperparameters(NB201)),
                         NB201, _score, tmp_path, "p")
  with pytest.raises(errors.InputError, match="oracle has limits"):
    tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p", limits={"params": 10**6})


@pytest.mark.parametrize("folder, name", [("exp[1]", "p"), ("a", "p*"), ("a", "wh?t")])
def test_folders_that_pass_for_a_pattern_are_refused_before_they_are_made(tmp_path, folder, name):
  with pytest.raises(errors.InputError, match="must be without"):
    tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path / folder, name)
  with pytest.raises(errors.InputError, match="must be without"):
    _Plain(_evolution(), None, tmp_path / folder, name)
  assert not list(tmp_path.iterdir())


class _Plain(durable.DurableTuner):
  """A tuner of one's own, which hands its arguments on by their places."""


def test_trials_without_their_search_are_not_taken_over(tmp_path):
  tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p").search()
  (tmp_path / "p" / "tuner0.json").unlink()
  with pytest.raises(errors.InputError, match="has trials"):
    tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p")
  fresh = tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p", overwrite=True)
  assert fresh.history() == []


@pytest.mark.parametrize("name, text", [
    *((name, text) for name in ("trial_01/trial.json", "oracle.json", "tuner0.json")
      for text in ("", "[]", "[" * 100_000)),
    ("trial_01/trial.json", "{}"), ("trial_01/trial.json", None), ("trial_11/trial.json", None),
    ("oracle.json", None),
])
def test_a_damaged_search_is_refused(tmp_path, name, text):
  tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p").search()
  path = tmp_path / "p" / name
  assert path.exists()
  if text is None:
    path.unlink()
  else:
    path.write_text(text)  # As a loss of power may leave it.
  with pytest.raises(errors.InputError, match="/p must be a whole search; .* anew. Received: "):
    tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p")


def test_a_trial_that_ended_without_a_score_is_refused(tmp_path):
  tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p").search()
  path = tmp_path / "p" / "trial_01" / "trial.json"
  path.write_text(json.dumps({**json.loads(path.read_text()), "metrics": {"metrics": {}}}))
  with pytest.raises(errors.InputError, match="must be a whole search; .*accuracy"):
    tuner_lib.SupernetTuner(_evolution(), NB201, _score, tmp_path, "p")
