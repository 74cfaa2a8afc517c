"""To its user the supernet is an ordinary Keras model: fit, callbacks, evaluate, save, load."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib

SPACE = spaces.cell_space(
    "three", spaces.nasbench201().operations, nodes=3, skeleton=spaces.Skeleton(4, 1, 8)
)


def make(off_path="moved", method=True):
  path = methods.SinglePath(SPACE, seed=4)
  supernet = supernet_lib.Supernet(SPACE, seed=2)
  schedule = optimizers.CaLR(0.05, 40, *SPACE.bounds("complexity"))
  supernet.compile(
      optimizers.MS(schedule, groups=path.groups, off_path=off_path),
      keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"],
      method=path if method else None,
  )
  return supernet


def data():
  rng = np.random.default_rng(0)
  images = rng.normal(size=[128, 8, 8, 3]).astype(np.float32)
  return images, (images.mean(axis=(1, 2, 3)) > 0).astype(np.int32)


def weights(supernet):
  return [keras.ops.convert_to_numpy(w) for w in supernet.trainable_variables]


def test_fit_evaluate_save_load_and_go_on(tmp_path):
  images, labels = data()
  supernet = make()
  seen = []
  callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs))
  history = supernet.fit(
      images, labels, batch_size=32, epochs=3, verbose=0, shuffle=False, callbacks=[callback],
      validation_data=(images, labels),
  ).history
  assert history["loss"][-1] < history["loss"][0] and len(seen) == 3 and "val_accuracy" in seen[0]
  supernet.choose(SPACE.largest())
  before = supernet.evaluate(images, labels, verbose=0)
  supernet.save(tmp_path / "supernet.keras")
  again = keras.saving.load_model(tmp_path / "supernet.keras")
  np.testing.assert_allclose(again.evaluate(images, labels, verbose=0), before, rtol=1e-5)
  for model in (supernet, again):  # With its slots, its step and its method: the same steps follow.
    model.fit(images, labels, batch_size=32, epochs=1, verbose=0, shuffle=False)
  for one, two in zip(weights(supernet), weights(again)):
    np.testing.assert_array_equal(one, two)


def test_a_step_trains_the_arch_of_its_number_in_its_group():
  images, labels = data()
  supernet = make("frozen")
  supernet.fit(images[:32], labels[:32], batch_size=32, epochs=1, verbose=0)
  paths = np.array(supernet.method.sampler(0))
  group = paths[0, supernet.method.split_decision]
  start = supernet_lib.Supernet(SPACE, seed=2)
  masks = supernet.on_path(paths)
  for new, old, mask, slot in zip(
      weights(supernet), weights(start), masks, supernet.optimizer.slots
  ):
    changed = np.array(new != old)
    mask = np.broadcast_to(np.array(mask), new.shape[:1])
    assert not changed[~mask].any() and all(row.any() for row in changed[mask])
    used = np.array([row.any() for row in keras.ops.convert_to_numpy(slot)])
    assert not used[np.arange(5) != group].any()
  told = [keras.ops.convert_to_numpy(v).tolist() for v in supernet.optimizer.told]
  assert (told[0], told[-1]) == (group, SPACE.cost(paths[0], "complexity"))


def test_moved_weights_off_the_path_decay_by_exactly_l2():
  images, labels = data()
  supernet, start = make("moved"), supernet_lib.Supernet(SPACE, seed=2)
  supernet.fit(images[:32], labels[:32], batch_size=32, epochs=1, verbose=0)
  off = 0
  for new, old, mask in zip(weights(supernet), weights(start), supernet.on_path(
      np.array(supernet.method.sampler(0)))):
    mask = np.broadcast_to(np.array(mask), new.shape[:1])
    # First step, no gradient: d = l2 w, u = d + 0.9 d.
    np.testing.assert_allclose(new[~mask], old[~mask] * (1 - 0.05 * 1.9 * 5e-4), rtol=1e-6)
    off += (~mask).sum()
  assert off > 0


def test_fit_without_a_method_says_what_is_missing():
  images, labels = data()
  with pytest.raises(errors.InputError, match="method"):
    make(method=False).fit(images, labels, verbose=0)


@pytest.mark.parametrize("wrong", [-1, 3])
def test_no_such_split_decision(wrong):
  with pytest.raises(errors.InputError, match="split_decision"):
    methods.SinglePath(SPACE, split_decision=wrong)


REFUSED = """
import keras
from tfdynnas import errors, methods, optimizers, spaces, supernet
from tfdynnas.backend import current
strategy = current.make_strategy("mirrored", ["CPU:0", "CPU:1"])
space = spaces.nasbench201(2, 1, 8)
with strategy.scope():
  model, method = supernet.Supernet(space), methods.SinglePath(space)
  for wrong in ({"jit_compile": True}, {"run_eagerly": True}, {"steps_per_execution": 2}):
    try:
      model.compile(optimizers.MS(0.1), "mse", method=method, **wrong)
    except errors.InputError as error:
      print(error)
  try:
    model.compile(optimizers.MS(0.1, gradient_accumulation_steps=2), "mse", method=method)
  except errors.InputError as error:
    print(error)
for distribution, devices in (("mirrored", ["GPU:0", "GPU:1"]), ("none", ["CPU:0", "CPU:1"]),
                              ("mirrored", ["CPU:0", "CPU:0"])):
  try:
    current.make_strategy(distribution, devices)
  except errors.InputError as error:
    print(error)
"""


def test_what_hangs_or_fails_on_several_devices_is_refused():
  done = subprocess.run(
      [sys.executable, "-c", REFUSED], capture_output=True, text=True, check=False
  )
  lines = done.stdout.strip().splitlines()
  assert done.returncode == 0 and len(lines) == 7, done.stdout + done.stderr[-2000:]
  for line, word in zip(lines, ("jit_compile", "run_eagerly", "steps_per_execution",
                                "gradient_accumulation_steps", "GPU:0", "mirrored", "differ")):
    assert word in line and "Received" in line
