"""The front door: from images to a servable in Python, by the names of `tfdynnas` alone."""

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

import tfdynnas as nas
from tfdynnas import errors
from tfdynnas import search as search_lib

LIMIT = 40_000
SETTINGS = search_lib.Settings(population=3, generations=1, parents=2, mutants=2, crossovers=1)


@pytest.fixture(scope="module")
def data():
  return nas.data.digits()


@pytest.fixture(scope="module")
def supernet(data):
  made = nas.Supernet(nas.spaces.nasbench201(channels=4, cells=1, image_size=8), seed=1)
  made.compile(nas.MS(nas.CaLR(0.05)), method=nas.SinglePath())
  made.fit(data, epochs=2, batch_size=64, verbose=0)
  return made


def _search(supernet, data, folder, kind=nas.EvolutionSearch, **settings):
  return kind(supernet, data, limits={"params": LIMIT}, directory=str(folder), project_name="s",
              **settings)


def test_from_images_to_a_servable(supernet, data, tmp_path):
  search = _search(supernet, data, tmp_path, settings=SETTINGS)
  search.search()
  rows = search.history()
  assert len(rows) == 6 and all(row["params"] <= LIMIT for row in rows)
  network = search.get_best_models()[0]
  network.compile("sgd", nas.losses.crossentropy(), metrics=["accuracy"])
  loss, accuracy = network.evaluate(data.batches("valid", 250), verbose=0)
  best = max(row["accuracy"] for row in rows)
  assert accuracy == pytest.approx(best, abs=0.1) and np.isfinite(loss)  # By running statistics.
  network.compile(keras.optimizers.SGD(0.02), nas.losses.crossentropy(), metrics=["accuracy"])
  network.fit(data.batches("train", 64), epochs=1, verbose=0)
  version = nas.export(network, tmp_path / "servables" / "digits", data)
  assert version == tmp_path / "servables" / "digits" / "1"
  served = tf.saved_model.load(str(version)).signatures["serving_default"]
  answer = served(image=tf.constant(data.test.images[:50], tf.float32))
  expected = network.predict((data.test.images[:50] - data.mean) / data.std, verbose=0)
  np.testing.assert_array_equal(answer["class_id"].numpy().ravel(), expected.argmax(1))


def test_a_search_goes_on_and_that_of_other_weights_is_refused(supernet, data, tmp_path):
  search = _search(supernet, data, tmp_path, settings=SETTINGS, max_trials=2)
  search.search()
  more = _search(supernet, data, tmp_path, settings=SETTINGS, max_trials=4)
  assert more.done == 2
  more.search()
  assert more.history()[:2] == search.history() and len(more.history()) == 4
  other = nas.Supernet(supernet.space, seed=2)
  with pytest.raises(errors.InputError, match="weights"):
    _search(other, data, tmp_path, settings=SETTINGS)


@pytest.mark.parametrize("kind", [
    nas.EvolutionSearch, nas.ParetoSearch, nas.RandomSearch, nas.BayesianOptimization])
def test_each_search_is_a_whole_tuner(supernet, data, tmp_path, capsys, kind):
  evolves = kind in (nas.EvolutionSearch, nas.ParetoSearch)
  more = {"settings": SETTINGS} if evolves else {}
  heard = []
  listen = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append(logs))
  search = _search(supernet, data, tmp_path, kind, max_trials=3, seed=4, score_images=64, **more)
  search.search(callbacks=[listen])
  assert isinstance(search, keras_tuner.engine.base_tuner.BaseTuner) and search.done == 3
  rows = search.history()
  search.reload()
  assert search.history() == rows and search.done == 3
  search.search()  # It has ended.
  assert search.history() == rows
  assert [logs["accuracy"] for logs in heard if logs["params"] <= LIMIT] == [
      row["accuracy"] for row in rows]
  search.results_summary(2)
  search.search_space_summary()
  printed = capsys.readouterr().out
  best = max(rows, key=lambda row: (row["accuracy"], -row["loss"]))
  assert f"Score: {best['accuracy']}" in printed and "decision_5_3_2 (Choice)" in printed
  values = search.get_best_hyperparameters()[0].values
  assert [values[name] for name in sorted(values)] == [
      own.choices[choice] for own, choice in zip(supernet.space.decisions, best["arch"])]
  if kind is nas.ParetoSearch:
    front = search.front()
    assert front and [row["params"] for row in front] == sorted(row["params"] for row in front)


def test_the_best_model_answers_one_image_as_among_others(supernet, data, tmp_path):
  search = _search(supernet, data, tmp_path, settings=SETTINGS, max_trials=2, score_images=64)
  search.search()
  model, other = search.get_best_models(2)
  images = (data.test.images[:9] - data.mean) / data.std
  answers = model.predict(images, verbose=0)
  np.testing.assert_allclose(model.predict(images[:1], verbose=0), answers[:1], atol=1e-4)
  assert not np.allclose(other.predict(images, verbose=0), answers)
