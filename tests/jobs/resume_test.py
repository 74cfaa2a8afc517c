"""A training that dies at any write of its state, or that diverges, in one process and quickly."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import killed
from tfdynnas import errors
from tfdynnas.training import callbacks
from tfdynnas.training import checkpoint
from tfdynnas.training import loop

STEPS, EPOCHS = 6, 3  # Checkpoints of every 1, 2 or 4 steps fall on ends of epochs and between.


def _model():
  layers = [keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=seed))
            for seed in range(2)]  # Two slots of one name.
  model = keras.Sequential([keras.Input([3]), *layers])
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, name="loss")
  model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
  loop.build(model, 3)
  return model


def _batches(first, last):
  def batch(step):
    rng = np.random.default_rng(step)
    return rng.normal(size=[4, 3]).astype(np.float32), rng.integers(0, 3, 4).astype(np.int32)

  images, labels = zip(*map(batch, range(first, last)))
  return tf.data.Dataset.from_tensor_slices((np.stack(images), np.stack(labels)))


def _fit(folder, every, batches=_batches, identity=None):
  """Trains from what is in `folder`: (arrays at the end, rows without timings)."""
  model = _model()
  rows = loop.fit(model, batches, STEPS, EPOCHS, folder, identity or {"seed": 0}, every)
  arrays = {k: keras.ops.convert_to_numpy(v) for k, v in loop.state(model).items()}
  timings = "steps_per_second", "data_wait"
  return arrays, [{k: v for k, v in row.items() if k not in timings} for row in rows]


@pytest.mark.parametrize("every,deaths", [(1, (0, 4, 5, 17)), (2, (1, 2)), (4, (0, 2))])
@pytest.mark.parametrize("after", [False, True])
def test_death_at_a_checkpoint_changes_nothing(tmp_path, every, deaths, after):
  arrays, rows = _fit(tmp_path / "unharmed", every)
  assert [row["step"] for row in rows] == [6, 12, 18]
  for death in deaths:
    with killed.at_call(checkpoint, "save", death, after):
      _fit(tmp_path / str(death), every)
    again, log = _fit(tmp_path / str(death), every)
    assert log == rows, f"death {death}"
    for name, array in arrays.items():
      np.testing.assert_array_equal(again[name], array, f"death {death}: {name}")


def test_every_variable_is_kept(tmp_path):
  model = _model()
  metrics = [v for metric in model.metrics for v in metric.variables]
  kept = loop.state(model).values()
  assert len(kept) == len(model.variables) + len(model.optimizer.variables) + len(metrics)


def test_training_of_another_identity_is_refused_and_named(tmp_path):
  _fit(tmp_path, 4)
  with pytest.raises(errors.InputError, match="seed=0 there, 1 here"):
    _fit(tmp_path, 4, identity={"seed": 1})


def _diverging(step):
  """Batches whose images are infinite from a step on."""
  def batches(first, last):
    return _batches(first, last).enumerate(first).map(
        lambda i, batch: (tf.where(i < step, batch[0], np.inf), batch[1]))
  return batches


def test_divergence_names_the_step_and_leaves_the_checkpoint_whole(tmp_path):
  with pytest.raises(errors.DivergedError, match="Received: nan at step 9"):
    _fit(tmp_path, 1, _diverging(9))
  with np.load(tmp_path / "checkpoint.npz") as file:
    assert all(np.isfinite(file[name]).all() for name in file.files)
  assert checkpoint.record(tmp_path / "checkpoint.npz")["step"] == 9


def test_weights_that_are_not_finite_are_never_written(tmp_path, monkeypatch):
  monkeypatch.setattr(callbacks.math, "isfinite", lambda value: True)  # A loss that is silent.
  with pytest.raises(errors.DivergedError, match="NaN or infinity in .* after step 9"):
    _fit(tmp_path, 1, _diverging(9))
  assert checkpoint.record(tmp_path / "checkpoint.npz")["step"] == 9


def _with(data, mark, place, value):
  """The bytes with another one, so many after the last mark of the zip's directory."""
  place += data.rindex(mark)
  return data[:place] + bytes([value]) + data[place + 1:]


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"not a checkpoint",
    lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
    lambda data: data.replace(b"PK\1\2", b"PK\1\3"), lambda data: _with(data, b"PK\1\2", 8, 1),
    lambda data: _with(data, b"PK\5\6", 18, 99),
], ids=["empty", "cut", "text", "flipped", "names", "encrypted", "far"])
def test_damaged_checkpoints_are_refused(tmp_path, damage):
  _fit(tmp_path, 4)
  path = tmp_path / "checkpoint.npz"
  path.write_bytes(damage(path.read_bytes()))
  with pytest.raises(errors.InputError, match="must be a whole checkpoint of this package"):
    _fit(tmp_path, 4)


@pytest.mark.parametrize("arrays", [{"x": np.zeros(2)}, {"record": np.zeros(2, np.uint8)}])
def test_foreign_checkpoints_are_refused(tmp_path, arrays):
  np.savez(tmp_path / "checkpoint.npz", **arrays)
  with pytest.raises(errors.InputError, match="must be a whole checkpoint of this package"):
    _fit(tmp_path, 4)
