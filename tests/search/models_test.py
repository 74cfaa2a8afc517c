"""The models of a search's trials: plain Keras models that score what their trials scored."""

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.search import hyperparameters
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import scorer
from tfdynnas.search import stock_oracles
from tfdynnas.search import tuner as tuner_lib

SPACE = spaces.cell_space(
    "small", [spaces.Operation("skip", "identity"), spaces.Operation("conv", "conv", 3),
              spaces.Operation("pool", "avg_pool", 3)],
    nodes=3, skeleton=spaces.Skeleton(4, 1, 8))
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=[40, 8, 8, 3]).astype(np.float32)
LABELS = RNG.integers(0, 10, 40).astype(np.int32)
SAMPLE = RNG.normal(size=[16, 8, 8, 3]).astype(np.float32)


def _halved(images):
  return images / 2 - 1


@pytest.fixture(scope="module")
def supernet():
  return supernet_lib.Supernet(SPACE, seed=3)


def _tuner(supernet, folder, calibration=None, **limits):
  score = scorer.Scorer(
      supernet, [(IMAGES[:20], LABELS[:20]), (IMAGES[20:], LABELS[20:])], _halved, calibration)
  oracle = stock_oracles.GridSearchOracle(oracle_lib.objective())
  return tuner_lib.SupernetTuner(oracle, SPACE, score, folder, "p", **limits)


@pytest.mark.parametrize("calibration", [None, SAMPLE], ids=["batch", "calibrated"])
def test_the_best_models_score_what_their_trials_did(supernet, tmp_path, calibration):
  tuner = _tuner(supernet, tmp_path, calibration)
  tuner.search()
  rows = sorted(tuner.history(), key=lambda row: (-row["accuracy"], row["loss"]))
  models = tuner.get_best_models(3)
  assert len(rows) == 27 and len(models) == 3
  assert len(tuner.get_best_models()) == 1 and rows[0]["arch"] == tuner.best()[0]
  for model, row in zip(models, rows):
    assert type(model).__module__.startswith("keras.")
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    loss, accuracy = model.evaluate(_halved(IMAGES), LABELS, batch_size=20, verbose=0)
    assert accuracy == pytest.approx(row["accuracy"], abs=1e-6)
    assert loss == pytest.approx(row["loss"], rel=1e-4)
  if calibration is not None:  # So that one image is answered as it is among others.
    one = ops.convert_to_numpy(models[0](_halved(IMAGES[:1])))
    np.testing.assert_allclose(one, models[0].predict(_halved(IMAGES), verbose=0)[:1], atol=1e-4)


def test_models_are_those_of_trials_and_of_hyperparameters_also_of_a_search_read_over(
    supernet, tmp_path):
  _tuner(supernet, tmp_path).search()
  tuner = _tuner(supernet, tmp_path)
  arch, best = tuner.best()
  (found,) = tuner.get_best_hyperparameters()
  assert hyperparameters.to_arch(SPACE, found) == arch
  (trial,) = [t for t in tuner.oracle.trials.values() if int(t.trial_id) == best["trial"]]
  expected = ops.convert_to_numpy(supernet.subnet(arch)(IMAGES))
  for model in (tuner.hypermodel.build(found), tuner.load_model(trial), *tuner.get_best_models()):
    np.testing.assert_array_equal(ops.convert_to_numpy(model(IMAGES)), expected)


def test_the_best_are_within_the_limits_and_of_equals_the_one_of_least_loss(supernet, tmp_path):
  least = SPACE.bounds("params")[0]
  within = [arch for arch in SPACE.archs() if SPACE.cost(arch, "params") <= least]
  tuner = _tuner(supernet, tmp_path, limits={"params": least})
  tuner.search()
  assert 1 < len(within) < 27 == len(tuner.oracle.get_best_trials(99))
  found = [hyperparameters.to_arch(SPACE, one) for one in tuner.get_best_hyperparameters(99)]
  assert sorted(found) == sorted(within)
  losses = {row["arch"]: row["loss"] for row in tuner.history()}
  equal = tuner_lib.SupernetTuner(
      stock_oracles.GridSearchOracle(oracle_lib.objective()), SPACE,
      lambda arch: {"accuracy": 0.5, "loss": losses.get(arch, 99.0)}, tmp_path, "equal")
  equal.search()
  (first,) = equal.get_best_hyperparameters()
  assert hyperparameters.to_arch(SPACE, first) == min(losses, key=losses.get) == equal.best()[0]
  with pytest.raises(errors.InputError, match="need a `score` with a method.* Received: function"):
    equal.get_best_models()
  with pytest.raises(errors.InputError, match="need a `score` with a method.* Received: function"):
    equal.hypermodel.build(first)
  with pytest.raises(errors.InputError, match="no model of its own.* Received: one for trial 00"):
    equal.save_model("00", None)


def test_nothing_scored_is_no_model(supernet, tmp_path):
  assert _tuner(supernet, tmp_path).get_best_models() == []
