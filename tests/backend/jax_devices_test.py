"""On JAX two devices compute what one does, to rounding; what cannot be shared out is refused."""

import numpy as np
import pytest

from tests.backend import processes

NAMES = ("spos_calr_ms", "fairnas_calr_ms", "pada")
TRAIN = f"""
import pathlib, sys
import keras
from tests.backend import backend_case as case
from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.backend import current
from tfdynnas.training import loop

def check(strategy, devices, supernet):
  assert current.devices_of(strategy) == devices and strategy.num_replicas_in_sync == 1
  used = supernet.trainable_variables[0].value.devices()
  assert len(used) == devices, used

train, whole = case.digits()
two = current.make_strategy("mirrored", ["CPU:0", "CPU:1"])
with two.scope():
  for name in {NAMES}:
    feed = feeds.TrainingFeed(whole, train, case.BATCH, 5, augment.Augmentation(1, True))
    supernet = case.make(name, feed)
    case.set_weights(supernet, 0.0)
    check(two, 2, supernet)
    loop.fit(
        supernet, current.batches(feed), 5, case.EPOCHS, pathlib.Path(sys.argv[1]) / name, {{}},
        every=4,
    )
assert keras.distribution.distribution() is None
one = current.make_strategy("none", ["CPU:0"])
with one.scope():
  check(one, 1, case.make(name, feed))
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


def test_two_devices_equal_one(jax_runs, tmp_path):
  processes.on_jax("-c", TRAIN, tmp_path)
  for name in NAMES:
    arrays = [np.load(path / name / "checkpoint.npz") for path in (jax_runs / "jax", tmp_path)]
    assert arrays[0].files == arrays[1].files and len(arrays[0].files) > 30
    for key in arrays[0].files:
      if key != "record":
        np.testing.assert_allclose(arrays[1][key], arrays[0][key], rtol=1e-4, atol=2e-6)


def test_devices_that_cannot_be_are_refused_in_a_line():
  pytest.importorskip("jax", reason="the extra `jax` is not installed")
  lines = processes.on_jax("-c", REFUSED).splitlines()
  assert len(lines) == 3
  for line, word in zip(lines, ("mirrored", "differ", "gpu:0")):
    assert word in line and "Received" in line
