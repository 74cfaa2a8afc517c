"""Methods of several paths a step, against separate tapes and a reference update in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tfdynnas import errors
from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib

SPACE = spaces.cell_space(
    "three", spaces.nasbench201().operations, nodes=3, skeleton=spaces.Skeleton(2, 1, 8)
)
BOUNDS = SPACE.bounds("complexity")
STEPS, BATCH = 5, 16


def data(steps=2):
  rng = np.random.default_rng(0)
  images = rng.normal(size=[steps * BATCH, 8, 8, 3]).astype(np.float32)
  return images, rng.integers(0, 10, steps * BATCH).astype(np.int32)


def compiled(method, rate, off_path="moved"):
  supernet = supernet_lib.Supernet(SPACE, seed=2)
  optimizer = optimizers.MS(rate, groups=method.groups, max_norm=None, off_path=off_path)
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
  supernet.compile(optimizer, loss, metrics=["accuracy"], method=method)
  return supernet


def trained(method, rate, off_path="moved"):
  """(supernet, logs of each step) after two steps of `fit`."""
  supernet, logs = compiled(method, rate, off_path), []
  keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, own: logs.append(own))
  images, labels = data()
  for step in range(2):
    at = slice(step * BATCH, (step + 1) * BATCH)
    supernet.fit(images[at], labels[at], batch_size=BATCH, verbose=0, callbacks=[keep])
  return supernet, logs


def gradients(supernet, images, labels, arch, target=None):
  """(loss, accuracy, gradients, softmax) of one arch, with a tape of its own."""
  with tf.GradientTape() as tape:
    logits = supernet(images, arch=arch)
    if target is None:
      target = tf.one_hot(labels, 10)
    loss = -tf.reduce_mean(tf.reduce_sum(target * tf.nn.log_softmax(logits), axis=1))
  found = tape.gradient(loss, supernet.trainable_variables, unconnected_gradients="zero")
  right = np.mean(np.argmax(logits, axis=1) == labels)
  return float(loss), right, [np.array(g) for g in found], tf.nn.softmax(logits).numpy()


def by_hand(method, factors, rate, off_path="moved"):
  """The same two steps: PyTorch-form SGD in numpy; (weights, buffers, (loss, accuracy) a step)."""
  supernet = supernet_lib.Supernet(SPACE, seed=2)
  buffers = [np.zeros([method.groups, *w.shape]) for w in supernet.trainable_variables]
  images, labels = data()
  logs = []
  for step in range(2):
    at = slice(step * BATCH, (step + 1) * BATCH)
    paths = np.array(method.sampler(step))
    group, sums, seen, target = group_by_hand(method, paths), 0, [], None
    for number, (arch, factor) in enumerate(zip(paths, factors(step, paths))):
      teacher = target if method.distils and number else None
      *log, found, softmax = gradients(supernet, images[at], labels[at], arch, teacher)
      target = softmax if target is None else target
      sums = [factor * g + total for g, total in zip(found, sums or [0] * len(found))]
      seen.append(log)
    masks = [np.broadcast_to(np.array(m), w.shape[:1])
             for m, w in zip(supernet.on_path(paths), supernet.trainable_variables)]
    for weight, gradient, buffer, mask in zip(
        supernet.trainable_variables, sums, buffers, masks):
      decayed = gradient + 5e-4 * weight.numpy()
      moved = 0.9 * buffer[group] + decayed
      rows = mask | (off_path == "moved")
      buffer[group][rows] = moved[rows]
      new = weight.numpy() - rate(step, paths) * (decayed + 0.9 * moved)
      weight.assign(np.where(rows.reshape([-1] + [1] * (new.ndim - 1)), new, weight.numpy()))
    logs.append(np.mean(seen, axis=0))
  return [w.numpy() for w in supernet.trainable_variables], buffers, logs


def group_by_hand(method, paths):
  return paths[0, method.split_decision] if method.groups > 1 else 0


def decay(step, paths):
  """(1 - t / T) ** gamma of each path."""
  span = np.log(BOUNDS[1] / BOUNDS[0])
  costs = np.array([SPACE.cost(path, "complexity") for path in paths])
  gammas = 4 - 3.75 * np.log(costs / BOUNDS[0]) / span
  return (1 - step / STEPS) ** gammas


def check(method, rate, factors, rates, off_path="moved"):
  supernet, logs = trained(method, rate, off_path)
  weights, buffers, expected = by_hand(method, factors, rates, off_path)
  moves = []
  for one, two, start in zip(
      supernet.trainable_variables, weights, supernet_lib.Supernet(SPACE, seed=2).weights):
    np.testing.assert_allclose(one, two, atol=2e-6, rtol=1e-4)
    moves.append(np.abs(two - start.numpy()).max())
  assert max(moves) > 1e-3
  for slot, buffer in zip(supernet.optimizer.slots, buffers):
    np.testing.assert_allclose(slot, buffer, atol=2e-5, rtol=1e-4)
  for log, (loss, accuracy) in zip(logs, expected):
    assert abs(log["loss"] - loss) < 1e-5 and abs(log["accuracy"] - accuracy) < 1e-6


@pytest.mark.parametrize("off_path", ["moved", "frozen"])
def test_fairnas_with_calr_on_the_losses_and_ms(off_path):
  loss_calr = optimizers.CaLR(1.0, STEPS, *BOUNDS)
  method = methods.FairNAS(SPACE, 3, momentum_groups="split", loss_calr=loss_calr)
  assert len(set(np.array(method.sampler(0))[:, method.split_decision])) == 1
  check(method, 0.05, decay, lambda step, paths: 0.05, off_path)


def test_fairnas_with_calr_on_the_rates():
  schedule = optimizers.CaLR(0.05, STEPS, *BOUNDS, paths=5)
  rates = lambda step, paths: 0.05 * decay(step, paths).mean()
  factors = lambda step, paths: decay(step, paths) / decay(step, paths).mean()
  check(methods.FairNAS(SPACE, 3), schedule, factors, rates)


def test_sandwich_distils_in_place():
  method = methods.Sandwich(SPACE, 3, random_paths=1)
  np.testing.assert_array_equal(np.array(method.sampler(0))[:2], [[3] * 3, [1] * 3])
  check(method, 0.05, lambda step, paths: np.ones(3), lambda step, paths: 0.05)


def test_sandwich_draws_other_archs_at_each_place_and_step_within_what_is_allowed():
  allowed = [[0, 2], *[range(5)] * 2]
  method = methods.Sandwich(SPACE, 3, allowed=allowed)
  drawn = np.array([method.sampler(step) for step in range(30)])
  assert drawn.shape == (30, 4, 3)
  assert len({tuple(arch) for arch in drawn[:, 2:].reshape(-1, 3)}) > 30  # Of 50.
  assert set(drawn[:, :, 0].reshape(-1)) == {0, 2}
  np.testing.assert_array_equal(drawn[0, :2], [[2, 3, 3], [2, 1, 1]])
  with pytest.raises(errors.InputError, match="random or shared"):
    methods.Sandwich(SPACE, momentum_groups="split")


def test_random_groups_are_as_many_and_do_not_follow_a_decision():
  space = spaces.nasbench201(channels=2, cells=1, image_size=8)
  method = methods.SinglePath(space, seed=1, momentum_groups="random")
  archs = np.array([space.sample(np.random.default_rng(i)) for i in range(600)], np.int32)
  groups = ops.convert_to_numpy(ops.vectorized_map(method.group, ops.convert_to_tensor(archs)))
  assert np.abs(np.bincount(groups, minlength=5) - 120).max() < 50
  for column in archs.T:
    table = np.array([np.bincount(groups[column == choice], minlength=5) for choice in range(5)])
    expected = table.sum(0) * table.sum(1)[:, None] / 600
    assert ((table - expected) ** 2 / expected).sum() < 45  # Chi squared of 16: 1e-4.
  again = int(method.group(ops.convert_to_tensor(archs[0])))
  assert again == groups[0]


def test_random_groups_of_several_paths_use_one_buffer_a_step():
  method = methods.FairNAS(SPACE, 3, momentum_groups="random")
  assert len(set(np.array(method.sampler(0))[:, method.split_decision])) == 5
  supernet = compiled(method, 0.05)
  images, labels = data(1)
  supernet.fit(images, labels, batch_size=BATCH, verbose=0)
  used = [row.any() for row in supernet.optimizer.slots[0].numpy()]
  flat = ops.reshape(method.sampler(0), [-1])
  np.testing.assert_array_equal(used, np.arange(5) == int(method.group(flat)))


def test_saved_and_loaded_the_same_steps_follow(tmp_path):
  loss_calr = optimizers.CaLR(1.0, 40, *BOUNDS)
  method = methods.FairNAS(SPACE, 3, momentum_groups="split", loss_calr=loss_calr)
  images, labels = data(3)
  supernet = compiled(method, 0.05)
  supernet.fit(images, labels, batch_size=BATCH, verbose=0, shuffle=False)
  supernet.save(tmp_path / "supernet.keras")
  again = keras.saving.load_model(tmp_path / "supernet.keras")
  for model in (supernet, again):
    model.fit(images, labels, batch_size=BATCH, verbose=0, shuffle=False)
  for one, two in zip(supernet.trainable_variables, again.trainable_variables):
    np.testing.assert_array_equal(one, two)


def test_calr_for_another_number_of_paths_is_refused():
  with pytest.raises(errors.InputError, match="CaLR needs paths=5.* Received: 1"):
    compiled(methods.FairNAS(SPACE), optimizers.CaLR(0.05, STEPS, *BOUNDS, paths=1))


def test_fewer_groups_than_the_method_has_are_refused_however_ms_is_given():
  network, method = supernet_lib.Supernet(SPACE), methods.SinglePath(SPACE)
  few = optimizers.MS(0.1, groups=3)
  for optimizer in (few, keras.optimizers.LossScaleOptimizer(few), keras.optimizers.serialize(few)):
    with pytest.raises(errors.InputError, match="MS needs groups=5, .* Received: 3"):
      network.compile(optimizer, "mse", method=method)
  narrow = SPACE.restrict([[1, 3, 4], *[range(5)] * 2])
  for space, groups in ((narrow, 3), (SPACE, 1), (SPACE, 5), (SPACE, 6)):
    split = methods.SinglePath(space, split_decision=0)
    network.compile(optimizers.MS(0.1, groups=groups), "mse", method=split)
  network.compile(few, "mse", method=methods.SinglePath(SPACE, momentum_groups="shared"))


def test_optimizers_that_a_method_cannot_tell_are_refused():
  several = keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(optimizers.MS(0.1)))
  with pytest.raises(errors.InputError, match="a method can tell.* Received: MultiOptimizer"):
    supernet_lib.Supernet(SPACE).compile(several, "mse", method=methods.SinglePath(SPACE))
  scaled = keras.optimizers.LossScaleOptimizer(optimizers.MS(0.1, off_path="frozen"))
  with pytest.raises(errors.InputError, match="off_path=frozen needs jit_compile=False"):
    supernet_lib.Supernet(SPACE).compile(
        scaled, "mse", method=methods.SinglePath(SPACE), jit_compile=True)


def test_config_round_trip():
  allowed = [[1, 3], *[list(range(5))] * 2]
  made = methods.Sandwich(
      SPACE, 3, allowed=allowed, sampler="stratified", random_paths=3, momentum_groups="random"
  )
  again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
  assert again.get_config() == made.get_config() and again.allowed == made.allowed
  np.testing.assert_array_equal(again.sampler(7), made.sampler(7))
