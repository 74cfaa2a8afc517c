"""Path importance: its numbers by hand, its draws, and that a resume and a file keep its state."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests import killed
from tests.backend import processes
from tfdynnas import config
from tfdynnas import errors
from tfdynnas import methods
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.backend import current
from tfdynnas.training import checkpoint
from tfdynnas.training import loop
from tfdynnas.training import recipe

STEPS, EPOCHS, BATCH = 3, 3, 8


def make_space(copies=1):
  """Three edges; of each operation some copies."""
  operations = [
      spaces.Operation(f"{o.name}_{i}", o.kind, o.window)
      for i in range(copies) for o in spaces.nasbench201().operations
  ]
  return spaces.cell_space("three", operations, nodes=3, skeleton=spaces.Skeleton(2, 1, 8))


SPACE = make_space()


def put_gradients(supernet, values):
  """Gradients of 0, but for the kernels' rows in `values`: (window, row) -> entries."""
  gradients = []
  for weight in supernet.trainable_variables:
    gradient = np.zeros(weight.shape, np.float32)
    for (window, row), entries in values.items():
      if weight.name.endswith(f"conv{window}x{window}"):
        gradient[row].flat[: len(entries)] = entries
    gradients.append(tf.constant(gradient))
  return gradients


def test_importance_and_distribution_by_hand():
  method = methods.PathImportance(SPACE, steps=4, epochs=2)
  supernet = supernet_lib.Supernet(SPACE)
  state = method.state
  values = {(1, 0): [3, 4], (1, 2): [1], (3, 1): [2]}  # In each of three stages of one cell.
  gradients = put_gradients(supernet, values)
  method.observe(supernet, ops.convert_to_tensor(0), ops.convert_to_tensor([[2, 3, 2]]), gradients)
  # conv1x1: 3 * (5 + 1) over 2 in the path, half of it; conv3x3: 3 * 2, half of it.
  np.testing.assert_allclose(state.importance, [0, 0, 4.5, 3, 0], rtol=1e-6)
  np.testing.assert_allclose(state.distribution, [0.2] * 5, rtol=1e-6)
  gradients = put_gradients(supernet, {(3, 0): [1], (3, 1): [6]})
  method.observe(supernet, ops.convert_to_tensor(1), ops.convert_to_tensor([[3, 3, 0]]), gradients)
  # conv1x1 is not in it; conv3x3: (3 + 3 * (1 + 6) / 2) / 2. The epoch ends: tau = 1 / 2.
  np.testing.assert_allclose(state.importance, [0, 0, 4.5, 6.75, 0], rtol=1e-6)
  np.testing.assert_allclose(state.distribution, [0.1, 0.1, 0.3, 0.4, 0.1], rtol=1e-6)


def test_drift_and_an_epoch_that_saw_no_gradient():
  state = methods.PathImportance(SPACE).state
  state.draw_by(0.75)
  np.testing.assert_allclose(state.distribution, [0.2] * 5, rtol=1e-6)
  state.importance.assign([0, 0, 1, 3, 0])
  for tau, expected in ((1.0, [0, 0, 0.25, 0.75, 0]), (0.0, [0.2] * 5),
                        (0.5, [0.1, 0.1, 0.225, 0.475, 0.1])):
    state.draw_by(tau)
    np.testing.assert_allclose(state.distribution, expected, rtol=1e-6)
  state.draw_by(0.0, now=False)
  np.testing.assert_allclose(state.distribution, expected, rtol=1e-6)


def test_a_step_that_overflowed_leaves_the_importance():
  state = methods.PathImportance(SPACE).state
  state.importance.assign([0, 0, 1, 3, 0])
  state.see(np.array([0, 0, np.inf, 4, 0], "f"), np.array([0, 0, 1, 2, 0], "f"))
  np.testing.assert_array_equal(state.importance, [0, 0, 1, 2.5, 0])


@pytest.mark.parametrize("allowed", [None, [[0, 2, 3], [3], [0, 1, 2, 3, 4]]])
def test_draws_follow_the_distribution(allowed):
  method = methods.PathImportance(SPACE, seed=3, split_decision=2, allowed=allowed)
  weights = np.array([0.1, 0, 0.3, 0.4, 0.2])
  method.state.distribution.assign(weights)
  steps = ops.convert_to_tensor(np.arange(20000, dtype=np.int32))
  drawn = ops.convert_to_numpy(ops.vectorized_map(method.sampler, steps))[:, 0]
  for place, own in enumerate(method.allowed):
    expected = np.zeros(5)
    expected[list(own)] = weights[list(own)] / weights[list(own)].sum()
    counts = np.bincount(drawn[:, place], minlength=5)
    bound = 4.5 * np.sqrt(20000 * expected * (1 - expected))  # Of 0 exactly none.
    assert (np.abs(counts - 20000 * expected) <= bound + 1e-6).all()
  if allowed is None:
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.04


def batches(first, last):
  def batch(step):
    rng = np.random.default_rng(step)
    return rng.normal(size=[BATCH, 8, 8, 3]).astype("f"), rng.integers(0, 10, BATCH, np.int32)

  images, labels = zip(*map(batch, range(first, last)))
  return tf.data.Dataset.from_tensor_slices((np.stack(images), np.stack(labels)))


def make(space=SPACE):
  settings = config.SupernetConfig(
      sampler="pa", epochs=EPOCHS, schedule="cosine", learning_rate=0.1, seed=1
  )
  supernet = recipe.make_supernet(settings, space, EPOCHS * STEPS)
  loop.build(supernet, 10)
  return supernet


def state_of(supernet):
  return {name: ops.convert_to_numpy(v) for name, v in loop.state(supernet).items()}


@pytest.mark.parametrize("copies", [1, 2])
def test_a_step_of_fit_has_the_norms_of_its_gradients(copies):
  space = make_space(copies)
  supernet = make(space)
  method, ((images, labels),) = supernet.method, batches(0, 1)
  arch = np.array([2, 3, 5 * copies - 3], np.int32)
  method.sampler = lambda step: ops.convert_to_tensor(arch)[None]
  gradients = current.path_gradient(supernet, images, labels, arch)
  supernet.fit(batches(0, 1), verbose=0)
  expected = np.zeros(5 * copies)
  for weight, gradient in zip(supernet.trainable_variables, gradients):
    for edge, choice in enumerate(arch):
      window = {2: 1, 3: 3}[choice % 5]
      if weight.name.endswith(f"conv{window}x{window}"):
        row = gradient.numpy()[edge * copies + choice // 5]
        expected[choice] += np.linalg.norm(row) / (arch == choice).sum() / 2
  assert (expected > 0).sum() == min(copies + 1, 3)
  np.testing.assert_allclose(method.state.importance, expected, rtol=1e-4)


def fit(folder):
  supernet = make()
  loop.fit(supernet, batches, STEPS, EPOCHS, folder, {"seed": 1}, every=1)
  return supernet


def test_killed_in_the_middle_of_an_epoch_it_goes_on_exactly(tmp_path):
  whole = fit(tmp_path / "whole")
  names = [name for name in state_of(whole) if "importance" in name or "distribution" in name]
  assert len(names) == 2 and np.ptp(whole.method.state.distribution) > 0.05
  with killed.at_call(checkpoint, "save", STEPS + 1):
    fit(tmp_path / "killed")
  again = state_of(fit(tmp_path / "killed"))
  for name, value in state_of(whole).items():
    np.testing.assert_array_equal(again[name], value, name)


def test_a_saved_supernet_has_its_state(tmp_path):
  supernet = make()
  supernet.method.state.importance.assign([0, 0, 1, 3, 0])
  supernet.method.state.draw_by(0.5)
  supernet.save(tmp_path / "supernet.keras")
  again = keras.saving.load_model(tmp_path / "supernet.keras")
  for name in ("importance", "distribution"):
    one, two = (getattr(model.method.state, name) for model in (supernet, again))
    np.testing.assert_array_equal(one, two)
  assert again.method.get_config() == supernet.method.get_config()


@pytest.mark.parametrize("method", ["fairnas", "sandwich"])
def test_other_methods_refuse_it(method):
  with pytest.raises(errors.InputError, match="`sampler`"):
    config.SupernetConfig(method=method, sampler="pa", momentum_groups="shared")


def test_wrong_numbers_are_refused():
  with pytest.raises(errors.InputError, match="`epochs` must be >= 1"):
    methods.PathImportance(SPACE, epochs=0)


MIRRORED = """
import numpy as np
from tests.methods import path_importance_test as case
from tfdynnas.backend import current
strategy = current.make_strategy("mirrored", ["CPU:0", "CPU:1"])
found = []
for half in range(2):
  one = case.make()
  one.fit(case.batches(0, 1).map(lambda x, y: (x[4 * half:][:4], y[4 * half:][:4])), verbose=0)
  found.append(one.method.state.importance.numpy())
with strategy.scope():
  two = case.make()
  state = two.method.state
  two.fit(case.batches(0, 1), verbose=0)
  mean = (found[0] + found[1]) / 2 / 2  # Each device's loss is divided by their number.
  np.testing.assert_allclose(state.importance.numpy(), mean, rtol=1e-4)
  assert mean.any() and np.abs(found[0] - found[1]).max() > 0.01 * mean.max()
  two.fit(case.batches(1, 6), initial_epoch=1, epochs=2, verbose=0)
assert np.ptp(state.distribution.numpy()) > 0.05
for variable in (state.importance, state.distribution, *two.trainable_variables):
  first, second = (own.numpy() for own in variable.value.values)
  np.testing.assert_array_equal(first, second, variable.name)
"""


def test_two_devices_have_one_importance():
  processes.succeed("-c", MIRRORED)
