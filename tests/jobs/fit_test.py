"""A supernet at hand is trained in a run directory as the job trains one: the same bits, kill or
not, and what cannot be recorded is refused before anything is written."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfdynnas as nas
from tests import killed
from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas.training import checkpoint
from tfdynnas.training import loop

EPOCHS, BATCH = 2, 128
SPACE = nas.spaces.nasbench201(channels=2, cells=1, image_size=8)


@pytest.fixture(scope="module")
def data():
  return nas.data.digits()


def _supernet(space=SPACE, seed=0, method=None, optimizer=None, **settings):
  made = nas.Supernet(space, seed=seed)
  method = method or nas.SinglePath(seed=seed)
  made.compile(optimizer or nas.MS(nas.CaLR(0.05)), method=method, **settings)
  return made


def _fit(data, folder, supernet=None, **settings):
  """(supernet, History) of a training in a run."""
  supernet = supernet or _supernet()
  return supernet, supernet.fit(
      data, **{"epochs": EPOCHS, "batch_size": BATCH, "run_dir": folder, "verbose": 0, **settings})


def _arrays(folder):
  with np.load(folder / "supernet" / "checkpoint.npz") as file:
    return {name: file[name] for name in file.files if name != "record"}


def _assert_same(one, other):
  assert one.keys() == other.keys()
  for name, array in one.items():
    np.testing.assert_array_equal(array, other[name], name)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
  """Path of a run that the job trained."""
  run_dir = jobs.RunDir(tmp_path_factory.mktemp("job") / "run", create=True)
  jobs.train_supernet(
      run_dir, config.DataConfig(dataset="digits"), config.SpaceConfig(channels=2, cells=1),
      config.SupernetConfig(epochs=EPOCHS, batch=BATCH, learning_rate=0.05, pad=0, flip=False),
      config.DeviceConfig(deterministic=True))
  run_dir.close()
  return run_dir.path


def test_fit_is_the_job_bit_by_bit_and_goes_on_after_a_kill(job, data, tmp_path):
  with killed.at_call(checkpoint, "save", 0):
    _fit(data, tmp_path)
  assert checkpoint.record(tmp_path / "supernet" / "checkpoint.npz")["step"] == 8
  seen = []
  watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
  supernet, history = _fit(data, tmp_path, callbacks=[watch])
  _assert_same(_arrays(tmp_path), _arrays(job))
  assert (tmp_path / "config.json").read_text() == (job / "config.json").read_text()
  assert seen == [1] and history.epoch == [0, 1] and len(history.history["loss"]) == EPOCHS
  assert any((tmp_path / "supernet" / "events").rglob("events.out*"))
  again, _ = _fit(data, tmp_path)  # It has ended: another supernet gets its weights.
  for one, two in zip(supernet.trainable_variables, again.trainable_variables):
    np.testing.assert_array_equal(one, two)
  stored = json.loads((tmp_path / "config.json").read_text())
  run_dir = jobs.RunDir(tmp_path)  # And so does the job's.
  _, rows = jobs.train_supernet(
      run_dir, config.DataConfig.from_dict(stored["data"]),
      config.SpaceConfig.from_dict(stored["space"]),
      config.SupernetConfig.from_dict(stored["supernet"]), config.DeviceConfig())
  run_dir.close()
  assert [row["loss"] for row in rows] == history.history["loss"]


def test_validation_a_callback_that_stops_and_fit_without_a_run_after_it(data, tmp_path):
  stop = keras.callbacks.LambdaCallback()
  stop.on_epoch_end = lambda epoch, logs=None: setattr(stop.model, "stop_training", True)
  supernet, history = _fit(
      data, tmp_path, _supernet(optimizer=nas.MS(0.05)), callbacks=[stop],
      validation_data=data.batches("valid", 180))
  assert history.epoch == [0] and history.model is supernet
  known = supernet.evaluate(data.batches("valid", 180), verbose=0)
  assert [history.history[f"val_{name}"][0] for name in ("loss", "accuracy")] == pytest.approx(
      known, abs=1e-5)
  assert "val_accuracy" in (tmp_path / "supernet" / "log.csv").read_text()
  with pytest.raises(errors.InputError, match="trained to the end. Received: step 8 of 16"):
    jobs.run_search(jobs.RunDir(tmp_path), config.SearchConfig())
  assert supernet.method.prepare is None
  after = supernet.fit(data, batch_size=BATCH, verbose=0)
  assert np.isfinite(after.history["loss"]).all()


def test_pada_draws_the_images_of_a_run(data, tmp_path):
  supernet, history = _fit(data, tmp_path, _supernet(method=nas.PADA()), epochs=1)
  assert supernet.method.images.distribution.shape == (data.train.size,)
  assert np.isfinite(history.history["loss"]).all()


def _own(data):
  parts = [tf.data.Dataset.from_tensor_slices((part.images, part.labels))
           for part in (data.train, data.valid)]
  return nas.data.from_dataset(*parts)


def _moved():
  supernet = _supernet()
  supernet.trainable_variables[0].assign(supernet.trainable_variables[0] + 1)
  return supernet


_WRONG = {
    "arrays": (lambda data: {"data": data.train.images}, "images of nas.data.* ndarray"),
    "images": (lambda data: {"data": _own(data)}, "load again.* tf.data.Dataset"),
    "held_bytes": (lambda data: {"data": dataclasses.replace(
        data, made_by={**data.made_by, "held_bytes": 5})}, "cannot record `held_bytes`"),
    "steps_per_epoch": (lambda data: {"steps_per_epoch": 3}, "`steps_per_epoch` must be left out"),
    "size": (lambda data: {"supernet": _supernet(nas.spaces.nasbench201(2, 1, 16))},
             "for the images at hand. Received: image_size=8 there, 16 here"),
    "space": (lambda data: {"supernet": _supernet(nas.spaces.cell_space(
        "mine", nas.spaces.nasbench201().operations, skeleton=SPACE.skeleton))},
        "a space that a tool can make again: .* `mine`"),
    "seed": (lambda data: {"supernet": _supernet(method=nas.SinglePath(seed=9))},
             "method.config.seed=9, not 0"),
    "steps": (lambda data: {"supernet": _supernet(optimizer=nas.MS(nas.CaLR(0.1, steps=99)))},
              "steps=99, not 16"),
    "weights": (lambda data: {"supernet": _moved()}, "initial weights of the seed"),
    "prepare": (lambda data: {"supernet": _supernet(method=nas.SinglePath(
        prepare=lambda batch, step: batch))}, "`prepare`"),
}


@pytest.mark.parametrize("wrong", _WRONG)
def test_what_a_run_cannot_record_is_refused_and_leaves_nothing(data, tmp_path, monkeypatch, wrong):
  monkeypatch.setattr(loop, "fit", lambda *args, **kwargs: pytest.fail("A training began"))
  change, message = _WRONG[wrong]
  settings = {"data": data, "folder": tmp_path / "run", **change(data)}
  with pytest.raises(errors.InputError, match=message):
    _fit(**settings)
  assert not (tmp_path / "run").exists()


def test_another_supernet_in_the_same_run_is_refused_by_name(job, data):
  before = (job / "config.json").read_text()
  for other, message in (
      (_supernet(seed=4), "seed=0 there, 4 here"),
      (_supernet(SPACE.restrict([[0, 1]] + [None or range(5)] * 5)), "fix='' there, '0=none"),
  ):
    with pytest.raises(errors.InputError, match=message):
      _fit(data, job, other)
  with pytest.raises(errors.InputError, match="epochs=2 there, 3 here"):
    _fit(data, job, epochs=3)
  assert (job / "config.json").read_text() == before
