"""The front door: from images to a servable in Python, by the names of `tfdynnas` alone."""

import keras
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
  assert accuracy == pytest.approx(best, abs=0.02) and np.isfinite(loss)  # Batches lie otherwise.
  images, _ = next(iter(data.batches("train", 512)))
  network = supernet.subnet(search.best()[0], images=images.numpy())
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


@pytest.mark.parametrize("kind", [nas.ParetoSearch, nas.RandomSearch])
def test_the_other_searches(supernet, data, tmp_path, kind):
  more = {"settings": SETTINGS} if kind is nas.ParetoSearch else {}
  search = _search(supernet, data, tmp_path, kind, max_trials=3, seed=4, **more)
  search.search()
  assert search.done == 3 and search.get_best_hyperparameters()
  if kind is nas.ParetoSearch:
    front = search.front()
    assert front and [row["params"] for row in front] == sorted(row["params"] for row in front)
