"""The lines of probes after a death at any moment between a probe and its checkpoint."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import killed
from tfdynnas import errors
from tfdynnas.training import callbacks
from tfdynnas.training import checkpoint
from tfdynnas.training import loop

STEPS, EPOCHS = 3, 5


class _Probe:
  """Says what it looked at."""

  epochs = 2

  def __call__(self, model, step):
    weight = float(keras.ops.convert_to_numpy(model.weights[0])[0, 0])
    row = {"class": 0, "accuracy": 0.5, "loss": weight, "learning_rate": 0.1}
    return {"classes": [row], "cosines": {"within": float(step), "across": None}, "momentum": {}}


def _batches(first, last):
  rng = np.random.default_rng(0)
  images = rng.normal(size=[STEPS * EPOCHS, 4, 3]).astype(np.float32)[first:last]
  labels = rng.integers(0, 3, [STEPS * EPOCHS, 4]).astype(np.int32)[first:last]
  return tf.data.Dataset.from_tensor_slices((images, labels))


def _fit(folder, probe=_Probe()):
  initial = keras.initializers.GlorotUniform(seed=0)
  model = keras.Sequential(
      [keras.Input([3]), keras.layers.Dense(3, kernel_initializer=initial)])
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, name="loss")
  model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
  loop.build(model, 3)
  loop.fit(model, _batches, STEPS, EPOCHS, folder, {"seed": 0}, 2, probe=probe)
  path = folder / "probes.jsonl"
  return path.read_text() if path.exists() else ""


def _scalars(folder):
  """(step, tag) of each scalar in the events of a training."""
  found = set()
  for path in (folder / "events").rglob("*events*"):
    for event in tf.compat.v1.train.summary_iterator(str(path)):
      found.update((event.step, value.tag) for value in event.summary.value)
  return found


def test_a_line_every_second_epoch_and_at_the_end_and_in_tensorboard(tmp_path):
  lines = [json.loads(line) for line in _fit(tmp_path).splitlines()]
  assert [(line["epoch"], line["step"]) for line in lines] == [(2, 6), (4, 12), (5, 15)]
  seen = {(step, tag) for step, tag in _scalars(tmp_path) if "probe" in tag}
  assert (1, "epoch_probe/accuracy/class_1") in seen and (4, "epoch_probe/cosines/within") in seen
  assert {step for step, _ in seen} == {1, 3, 4} and "epoch_probe/cosines/across" not in str(seen)


# Checkpoints are written at steps 2, 3, 4, 6, 8, 9, 10, 12, 14, 15.
@pytest.mark.parametrize("death", [3, 4, 7, 9])
@pytest.mark.parametrize("after", [False, True])
def test_death_at_a_checkpoint_leaves_each_line_once(tmp_path, death, after):
  expected = _fit(tmp_path / "unharmed")
  with killed.at_call(checkpoint, "save", death, after):
    _fit(tmp_path / "killed")
  assert _fit(tmp_path / "killed") == expected


def test_a_line_beyond_the_checkpoint_is_dropped_although_nobody_looks_any_more(tmp_path):
  with killed.at_call(checkpoint, "save", 7, after=False):  # Its line of step 12 is there.
    _fit(tmp_path)
  lines = callbacks.read_lines(tmp_path / "probes.jsonl")
  assert [line["step"] for line in lines] == [6, 12]
  assert [json.loads(line) for line in _fit(tmp_path, probe=None).splitlines()] == lines[:1]


@pytest.mark.parametrize("damage", ['{"epoch": 2, "st', "[1]", "{}"])
def test_a_damaged_file_is_named(tmp_path, damage):
  (tmp_path / "probes.jsonl").write_text(damage + "\n")
  with pytest.raises(errors.InputError, match="probes.jsonl"):
    _fit(tmp_path)
