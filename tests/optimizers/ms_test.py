"""MS against hand-computed steps, separate optimizers and PyTorch-form SGD in numpy."""

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import optimizers

GRADIENTS = (0.5, 0.0, 0.2)


def run(optimizer, gradients=GRADIENTS, tells=None, start=1.0):
  weight = keras.Variable(np.float32(start), name="w")
  optimizer.build([weight])
  seen = []
  for step, gradient in enumerate(gradients):
    if tells:
      optimizer.tell(*tells[step])
    optimizer.apply([ops.convert_to_tensor(np.float32(gradient))], [weight])
    seen.append(float(ops.convert_to_numpy(weight)))
  return seen, ops.convert_to_numpy(optimizer.slots[0])


def test_three_steps_by_hand_at_a_constant_rate():
  seen, slot = run(optimizers.MS(0.025, groups=1))
  np.testing.assert_allclose(seen, [0.97622625, 0.9660679396265625, 0.947413498722215], rtol=1e-6)
  np.testing.assert_allclose(slot, [0.6063273357823132], rtol=1e-6)


class Three(keras.optimizers.schedules.LearningRateSchedule):
  """The rates of steps 0, 1, 2 under CaLR with T = 10 and gammas 4, 1/4, 1."""

  def __call__(self, step):
    return ops.take(ops.convert_to_tensor([0.025, 0.02435009366063242, 0.02]), step)


def test_three_steps_by_hand_at_a_changing_rate():
  seen, _ = run(optimizers.MS(Three(), groups=1))
  np.testing.assert_allclose(seen, [0.97622625, 0.9663320176389208, 0.9514084598979607], rtol=1e-6)


def test_three_steps_by_hand_in_two_groups():
  seen, slot = run(optimizers.MS(Three(), groups=2), tells=[(0,), (1,), (0,)])
  np.testing.assert_allclose(seen, [0.97622625, 0.9762036673594096, 0.9604770194897297], rtol=1e-6)
  np.testing.assert_allclose(slot, [0.6509381018336797, 4.8811312499999997e-4], rtol=1e-6)


@pytest.mark.parametrize("norm, factor", [(10.0, 5 / (10 + 1e-6)), (4.0, 1.0)])
def test_clipping_is_by_the_global_norm_before_l2(norm, factor):
  weights = [keras.Variable(np.zeros([2], np.float32)), keras.Variable(np.float32(2.0))]
  optimizer = optimizers.MS(1.0, momentum=0.0, nesterov=False, l2=0.5, groups=1)
  optimizer.build(weights)
  gradients = [np.array([0.6 * norm, 0], np.float32), np.float32(0.8 * norm)]
  optimizer.apply([ops.convert_to_tensor(g) for g in gradients], weights)
  expected = [-factor * gradients[0], 2.0 - (factor * gradients[1] + 0.5 * 2.0)]
  for weight, value in zip(weights, expected):
    np.testing.assert_allclose(ops.convert_to_numpy(weight), value, rtol=1e-5)


def reference(weight, buffer, gradient, rate, momentum=0.9, l2=5e-4):
  """PyTorch-form Nesterov SGD in float64."""
  decayed = gradient + l2 * weight
  buffer = momentum * buffer + decayed
  return weight - rate * (decayed + momentum * buffer), buffer


def test_groups_equal_as_many_optimizers_with_shared_weights():
  rng = np.random.default_rng(0)
  start = rng.normal(size=[3, 4]).astype(np.float32)
  gradients = rng.normal(size=[12, 3, 4]).astype(np.float32)
  groups = rng.integers(0, 3, 12)
  together, apart = keras.Variable(start), keras.Variable(start)
  one = optimizers.MS(0.1, groups=3)
  several = [optimizers.MS(0.1, groups=1) for _ in range(3)]
  for optimizer, weight in [(one, together)] + [(o, apart) for o in several]:
    optimizer.build([weight])
  weight, buffers = start.astype(np.float64), np.zeros([3, 3, 4])
  for gradient, group in zip(gradients, groups):
    one.tell(group)
    before = ops.convert_to_numpy(one.slots[0])
    one.apply([ops.convert_to_tensor(gradient)], [together])
    several[group].apply([ops.convert_to_tensor(gradient)], [apart])
    after = ops.convert_to_numpy(one.slots[0])
    others = [g for g in range(3) if g != group]
    np.testing.assert_array_equal(before[others], after[others])
    clipped = gradient * min(1, 5 / (np.linalg.norm(gradient) + 1e-6))
    weight, buffers[group] = reference(weight, buffers[group], clipped, 0.1)
  np.testing.assert_array_equal(ops.convert_to_numpy(together), ops.convert_to_numpy(apart))
  np.testing.assert_allclose(ops.convert_to_numpy(together), weight, atol=1e-6)
  np.testing.assert_allclose(ops.convert_to_numpy(one.slots[0]), buffers, atol=1e-5)


@pytest.mark.parametrize("off_path", ["moved", "frozen"])
def test_off_path_rows(off_path):
  start = np.ones([3, 2], np.float32)
  weights = [keras.Variable(start), keras.Variable(start)]
  optimizer = optimizers.MS(0.1, off_path=off_path, groups=2)
  optimizer.build(weights)
  zero = np.zeros([3, 2], np.float32)
  first = [zero + 1, zero + 1]
  second = [zero.copy(), zero.copy()]
  second[0][1] = 0.5
  second[1][:] = 0.5
  optimizer.tell(1)
  optimizer.apply([ops.convert_to_tensor(g) for g in first], weights)
  mask = [np.array([False, True, False]), np.array(True)]
  before = [ops.convert_to_numpy(w).copy() for w in weights]
  slot_before = ops.convert_to_numpy(optimizer.slots[0]).copy()
  optimizer.tell(1, mask)
  optimizer.apply([ops.convert_to_tensor(g) for g in second], weights)
  after = [ops.convert_to_numpy(w) for w in weights]
  moved, buffer = reference(before[0].astype(np.float64), slot_before[1], second[0], 0.1)
  if off_path == "frozen":
    for row in (0, 2):
      moved[row], buffer[row] = before[0][row], slot_before[1][row]
  np.testing.assert_allclose(after[0], moved, atol=1e-6)
  np.testing.assert_allclose(ops.convert_to_numpy(optimizer.slots[0])[1], buffer, atol=1e-6)
  assert not np.any(ops.convert_to_numpy(optimizer.slots[0])[0])
  assert np.all(after[1] != before[1])
  assert np.all((after[0] != before[0]).any(axis=1) == ([False, True, False], [True] * 3)[
      off_path == "moved"])


def test_frozen_weights_do_not_count_in_the_norm_and_stay():
  start = [np.ones([3, 2], np.float32), np.float32(1.0), np.ones([2], np.float32)]
  weights = [keras.Variable(value) for value in start]
  optimizer = optimizers.MS(1.0, momentum=0.0, nesterov=False, l2=0.5, off_path="frozen", groups=1)
  optimizer.build(weights)
  optimizer.tell(0, [np.array([True, False, False]), np.array(False), np.array(True)])
  gradients = [np.full([3, 2], 6.0, np.float32), np.float32(100.0), np.full([2], 8.0, np.float32)]
  optimizer.apply([ops.convert_to_tensor(g) for g in gradients], weights)
  factor = 5 / np.sqrt(2 * 6.0**2 + 2 * 8.0**2)
  expected = [[[0.5 - 6 * factor] * 2, [1.0, 1.0], [1.0, 1.0]], 1.0, [0.5 - 8 * factor] * 2]
  for weight, value in zip(weights, expected):
    np.testing.assert_allclose(ops.convert_to_numpy(weight), value, atol=1e-5)


def test_kernels_alone_decay_if_asked():
  """A scalar and a vector are no kernels."""
  weights = [keras.Variable(np.ones(shape, np.float32)) for shape in ((), (2,), (2, 2))]
  optimizer = optimizers.MS(1.0, momentum=0.0, nesterov=False, l2=0.25, l2_on="kernels", groups=1)
  optimizer.build(weights)
  optimizer.apply([ops.zeros(weight.shape) for weight in weights], weights)
  assert [float(ops.mean(weight)) for weight in weights] == [1.0, 1.0, 0.75]


def test_config_round_trip():
  made = optimizers.MS(0.1, 0.8, False, 1e-3, 2.0, 4, "frozen")
  again = optimizers.MS.from_config(made.get_config())
  assert again.get_config() == made.get_config()
  assert (again.groups, again.off_path, again.max_norm, again.l2) == (4, "frozen", 2.0, 1e-3)


@pytest.mark.parametrize("wrong", [
    {"momentum": 1.0}, {"l2": -1}, {"max_norm": 0}, {"groups": 0}, {"groups": 1.5},
    {"momentum": "0.9"}, {"momentum": None}, {"l2": float("nan")}, {"l2": [0.1, 0.2]},
    {"max_norm": "5"}, {"groups": "2"}, {"groups": float("inf")}, {"l2_on": ["all"]},
    {"off_path": "still"}, {"weight_decay": 0.1}, {"clipnorm": 1.0}, {"global_clipnorm": 1.0},
])
def test_wrong_settings_are_refused(wrong):
  with pytest.raises(errors.InputError, match="Received"):
    optimizers.MS(0.1, **wrong)


def test_serves_a_keras_model_that_knows_nothing_of_it():
  rng = np.random.default_rng(0)
  images, labels = rng.normal(size=[64, 5]), rng.integers(0, 2, 64)
  keras.utils.set_random_seed(0)
  layers = [keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2)]
  model = keras.Sequential(layers)
  schedule = optimizers.CaLR(0.1, steps=40, c_min=1, c_max=100)
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
  model.compile(optimizers.MS(schedule, groups=2), loss)
  history = model.fit(images, labels, batch_size=16, epochs=10, verbose=0).history["loss"]
  assert history[-1] < history[0] - 0.05
  assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 40


def test_calr_drives_an_optimizer_of_keras():
  schedule = optimizers.CaLR(0.1, steps=10, c_min=10, c_max=1000)
  weight = keras.Variable(np.float32(0))
  optimizer = keras.optimizers.SGD(schedule)
  optimizer.build([weight])
  expected = 0.0
  for step, (complexity, power) in enumerate([(10, 4.0), (1000, 0.25), (100, 2.125)]):
    schedule.tell(complexity)
    optimizer.apply([ops.convert_to_tensor(np.float32(1))], [weight])
    expected -= 0.1 * ((10 - step) / 10) ** power
    np.testing.assert_allclose(float(ops.convert_to_numpy(weight)), expected, rtol=1e-5)
