"""On JAX two devices compute what one does, to rounding; what cannot be shared out is refused."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

TRAIN = """
import pathlib, sys
import keras
from tests.backend import backend_case as case
from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.backend import current
from tfdynnas.training import loop

folder, devices = sys.argv[1], sys.argv[2].split(",")
strategy = current.make_strategy("mirrored" if len(devices) > 1 else "none", devices)
assert current.devices_of(strategy) == len(devices) and strategy.num_replicas_in_sync == 1
train, whole = case.digits()
with strategy.scope():
  for name in ("spos_calr_ms", "fairnas_calr_ms", "pada"):
    feed = feeds.TrainingFeed(whole, train, case.BATCH, 5, augment.Augmentation(1, True))
    supernet = case.make(name, feed)
    case.set_weights(supernet, 0.0)
    used = supernet.trainable_variables[0].value.devices()
    assert len(used) == len(devices), used
    loop.fit(
        supernet, current.batches(feed), 5, case.EPOCHS, pathlib.Path(folder) / name, {}, every=4
    )
assert keras.distribution.distribution() is None
"""
REFUSED = """
from tfdynnas import errors
from tfdynnas.backend import current

for distribution, devices in (("none", ["CPU:0", "CPU:1"]), ("mirrored", ["CPU:0", "CPU:0"]),
                              ("mirrored", ["GPU:0"])):
  try:
    current.make_strategy(distribution, devices)
  except errors.InputError as error:
    print(error)
"""


def run(code, *arguments):
  pytest.importorskip("jax", reason="the extra `jax` is not installed")
  root = pathlib.Path(__file__).parents[2]
  environment = {
      **os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(root)
  }
  done = subprocess.run(
      [sys.executable, "-c", code, *map(str, arguments)], env=environment, capture_output=True,
      text=True, check=False,
  )
  assert done.returncode == 0, done.stderr[-2000:]
  return done.stdout


def test_two_devices_equal_one(tmp_path):
  run(TRAIN, tmp_path / "one", "CPU:0")
  run(TRAIN, tmp_path / "two", "CPU:0,CPU:1")
  for name in ("spos_calr_ms", "fairnas_calr_ms", "pada"):
    arrays = [np.load(tmp_path / n / name / "checkpoint.npz") for n in ("one", "two")]
    assert arrays[0].files == arrays[1].files and len(arrays[0].files) > 30
    for key in arrays[0].files:
      if key != "record":
        np.testing.assert_allclose(arrays[1][key], arrays[0][key], rtol=1e-4, atol=2e-6)


def test_devices_that_cannot_be_are_refused_in_a_line():
  lines = run(REFUSED).splitlines()
  assert len(lines) == 3
  for line, word in zip(lines, ("mirrored", "differ", "gpu:0")):
    assert word in line and "Received" in line
