"""The time that a training waits for its data: counted, logged, shown."""

import csv
import time

import keras
import numpy as np
import pytest

from tfdynnas.backend import current
from tfdynnas.training import callbacks
from tfdynnas.training import loop

tf = pytest.importorskip("tensorflow")

PAUSE = 0.05


def _slow(count, seconds):
  """A dataset of (images, labels) whose elements take their time."""
  def element(number):
    def sleep(number):
      time.sleep(seconds)
      return np.float32(number)
    value = tf.numpy_function(sleep, [number], tf.float32)
    return tf.fill([4, 3], tf.ensure_shape(value, [])), tf.zeros([4], tf.int32)

  return tf.data.Dataset.range(count).map(element)


def test_what_is_waited_for_is_counted_and_no_more():
  dataset, waited = current.timed(_slow(8, PAUSE))
  start = time.perf_counter()
  assert [int(images[0, 0]) for images, _ in dataset] == list(range(8))
  assert 8 * PAUSE <= waited() <= time.perf_counter() - start


def test_what_is_ready_is_not_waited_for():
  dataset, waited = current.timed(_slow(8, PAUSE / 2).prefetch(2))
  for _ in dataset:
    time.sleep(3 * PAUSE)  # The step, in which the next element is made.
  assert PAUSE / 2 * 0.9 <= waited() < 4 * PAUSE  # The first alone takes its time.


def test_under_a_strategy_what_is_waited_for_is_counted_and_no_more():
  with current.make_strategy("none", ["CPU:0"]).scope():
    batches, waited = current.timed(_slow(8, PAUSE))
    start = time.perf_counter()
    assert [int(images[0, 0]) for images, _ in batches] == list(range(8))
  assert 6 * PAUSE <= waited() <= time.perf_counter() - start  # Two are read ahead.


def _fit(folder, seconds, seen):
  model = keras.Sequential([keras.Input([3]), keras.layers.Dense(3)])
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, name="loss")
  model.compile("sgd", loss, metrics=["accuracy"])
  loop.build(model, 3)
  rows = loop.fit(
      model, lambda first, last: _slow(last - first, seconds), 6, 2, folder, {},
      progress=lambda step, steps, **logs: seen.append(logs["data_wait"]))
  with open(folder / "log.csv", newline="", encoding="utf-8") as file:
    table = list(csv.DictReader(file))
  assert [float(row["data_wait"]) for row in table] == [row["data_wait"] for row in rows]
  return rows[-1]["data_wait"]


def test_the_share_is_logged_and_shown(tmp_path):
  seen = []
  slow, fast = _fit(tmp_path / "slow", 3 * PAUSE, seen), _fit(tmp_path / "fast", 0, seen)
  assert 2 * fast < slow <= 1 and all(0 <= share <= 1 for share in seen) and len(seen) == 24


def test_the_log_of_an_older_version_goes_on(tmp_path):
  old = {"epoch": 1, "step": 6, "loss": 1.0, "steps_per_second": 2.0}
  log = callbacks.Log(tmp_path / "log.csv", 6, [old], 2, 1, loop.silent)
  log.waited = lambda: 0.0
  log.on_epoch_begin(1)
  log.on_train_batch_end(0, {"loss": 0.5})
  log.on_epoch_end(1, {"loss": 0.5})
  with open(tmp_path / "log.csv", newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
  assert [row["loss"] for row in rows] == ["1.0", "0.5"]
  assert [row["data_wait"] for row in rows] == ["", "0.0"]
