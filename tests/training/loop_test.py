"""What the train loop refuses: data that end too early, another scope, damaged files."""

import keras
import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas.backend import current
from tfdynnas.training import callbacks
from tfdynnas.training import loop

tf = pytest.importorskip("tensorflow")


def _model():
  model = keras.Sequential([keras.Input([3]), keras.layers.Dense(3)])
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, name="loss")
  model.compile("sgd", loss, metrics=["accuracy"])
  loop.build(model, 3)
  return model


def _batches(most):
  """Batches of four images, at most so many."""
  def batches(first, last):
    count = 4 * min(last - first, most)
    images, labels = np.zeros([count, 3], "float32"), np.zeros([count], "int32")
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)

  return batches


@pytest.mark.parametrize("device", [None, "CPU:0"])
@pytest.mark.parametrize("most, end", [(0, 0), (3, 3), (5, 5)])
def test_data_that_end_before_the_epoch_are_refused(tmp_path, device, most, end):
  with current.make_strategy("none", [device] if device else []).scope():
    with pytest.raises(errors.InputError, match=f"4 batches. Received: no more after step {end}$"):
      loop.fit(_model(), _batches(most), 4, 2, tmp_path, {})
  log = tmp_path / "log.csv"
  assert len(log.read_text().splitlines() if log.exists() else []) == (2 if most > 4 else 0)


def test_a_model_of_another_scope_is_refused(tmp_path):
  with current.make_strategy("none", ["CPU:0"]).scope():
    model = _model()
  with pytest.raises(errors.InputError, match="scope that it was made in. Received: one of One"):
    loop.fit(model, _batches(8), 4, 2, tmp_path, {})


@pytest.mark.parametrize("text, words", [
    ('{"step": "x"}', "Line 1 of .*: step='x'"), ("[]", r"Line 1 of .*: \[\]"),
    ("{", "must be a probe"), ("[" * 100_000, "must be a probe"),
])
def test_damaged_lines_of_probes_are_refused(tmp_path, text, words):
  (tmp_path / "probes.jsonl").write_text(text + "\n")
  with pytest.raises(errors.InputError, match=words):
    callbacks.drop_lines(tmp_path / "probes.jsonl", 3)


def test_a_damaged_file_of_the_most_memory_is_refused(tmp_path):
  (tmp_path / "device.json").write_text("{}")
  with pytest.raises(errors.InputError, match="peak_bytes=None"):
    loop.fit(_model(), _batches(4), 4, 1, tmp_path, {})


def test_one_accelerator_beside_its_host_is_not_several(monkeypatch):
  there = [tf.config.LogicalDevice(f"/device:{kind}:0", kind) for kind in ("CPU", "GPU")]
  monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: there)
  strategy = current.make_strategy("mirrored", [])
  assert not isinstance(strategy, tf.distribute.MirroredStrategy)
