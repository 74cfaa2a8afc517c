"""What users of Keras' optimizers and schedules rely on, as Keras' own tests have it.

A step of MS without momentum, clipping and l2 is one of Keras' plain SGD: values are of its tests.
`told_test` runs this file on each back end.
"""

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import optimizers

BACKEND = keras.backend.backend()


def plain(rate=1.0, **settings):
  own = {"momentum": 0.0, "nesterov": False, "l2": 0.0, "max_norm": None, "groups": 1,
         **settings}
  return optimizers.MS(rate, **own)


def variable(value, **settings):
  return keras.Variable(np.array(value, np.float32), **settings)


def tensor(value):
  return ops.convert_to_tensor(np.array(value, np.float32))


def close(variable, value):
  np.testing.assert_allclose(ops.convert_to_numpy(variable), value, atol=1e-5)


ONES = [[1.0, 1.0], [1.0, 1.0]]


def test_iterations_count_and_apply_gradients_returns_them():
  v, optimizer = variable(ONES), plain()
  assert int(optimizer.iterations) == 0
  assert int(optimizer.apply_gradients([(tensor(ONES), v)])) == 1
  optimizer.apply([tensor(ONES)])
  assert int(optimizer.iterations) == 2
  close(v, np.full([2, 2], -1.0))


def test_apply_knows_what_it_was_built_with():
  v = variable(ONES)
  with pytest.raises(ValueError, match="must already be built"):
    plain().apply([tensor(ONES)])
  optimizer = plain()
  optimizer.build([v])
  optimizer.apply([])
  with pytest.raises(ValueError, match="Unknown variable"):
    optimizer.apply([tensor(ONES)], [variable(ONES)])
  with pytest.raises(ValueError, match="gradients"):
    optimizer.apply([tensor(ONES)] * 2)


def test_weights_without_gradient_stay():
  one, two = variable(ONES), variable(ONES)
  with pytest.raises(ValueError, match="No gradients"):
    plain().apply([None], [one])
  optimizer = plain(l2=0.5, max_norm=1.0, groups=2)
  if BACKEND == "torch":  # It is that of a branch that the step did not run: zeros, and the l2.
    optimizer.apply([None, tensor(ONES)], [one, two])
    close(one, np.full([2, 2], 0.5))
  else:
    with pytest.warns(UserWarning, match="Gradients do not exist"):
      optimizer.apply([None, tensor(ONES)], [one, two])
    close(one, ONES)
  close(two, np.full([2, 2], 0.0))  # 1 - (1 * 1/2 + 0.5 * 1).


def test_names_are_unique_and_a_given_one_is_kept():
  assert optimizers.MS().name != optimizers.MS().name
  assert optimizers.MS(name="mine").name == "mine"


def test_clipvalue_clips_before_max_norm_and_keras_own_norms_are_refused():
  v, optimizer = variable([0.0, 0.0]), plain(clipvalue=3.0, max_norm=2.0)
  optimizer.apply([tensor([100.0, -0.0])], [v])
  close(v, [-2.0, 0.0])
  for key in ("clipnorm", "global_clipnorm", "weight_decay"):
    with pytest.raises(errors.InputError, match="in place of"):
      plain(**{key: 1.0})
  with pytest.raises(ValueError, match="not recognized"):
    plain(clip=1.0)


def test_moving_average():
  v = variable([[3.0, 4.0], [5.0, 6.0]])
  optimizer = plain(use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3, groups=2)
  for expected in ([[2, 3], [4, 5]], [[1, 2], [3, 4]], [[1.71, 2.71], [3.71, 4.71]]):
    optimizer.apply([tensor(ONES)], [v])
    close(v, expected)
  v.assign(v + 1.0)
  optimizer.finalize_variable_values([v])
  close(v, [[1.71, 2.71], [3.71, 4.71]])


def test_moving_average_in_fit_and_swapped_in():
  made = keras.Sequential([
      keras.Input((1,)), keras.layers.Dense(2, kernel_initializer="ones", use_bias=False)
  ])
  made.compile(plain(0.1, use_ema=True, ema_momentum=0.9), "mse")
  ones, zeros = np.ones([1, 1], np.float32), np.zeros([1, 1], np.float32)
  seen = keras.callbacks.LambdaCallback(
      on_epoch_end=lambda epoch, logs: logs.update(own=made.get_weights()[0].ravel()))
  swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
  history = made.fit(ones, zeros, epochs=2, verbose=0, callbacks=[seen, swap]).history
  close(np.array(history["own"]), [[0.9, 0.9], [0.81, 0.81]])  # The gradient is the weight.
  close(made.weights[0], [[0.891, 0.891]])


def test_constraints_are_applied():
  v = variable([-0.5, 0.5])
  v.constraint = keras.constraints.NonNeg()
  plain().apply([tensor([0.0, 0.0])], [v])
  close(v, [0.0, 0.5])


def test_loss_scaling():
  v, optimizer = variable([[1.0, 2.0]]), plain(loss_scale_factor=1024.0)
  assert optimizer.scale_loss(1.0) == 1024.0
  optimizer.apply([tensor([[1024.0, 2048.0]])], [v])
  close(v, [[0.0, 0.0]])
  inner = plain(groups=2)
  optimizer, v = keras.optimizers.LossScaleOptimizer(inner), variable([1.0, 2.0])
  optimizer.build([v])
  inner.tell(1)
  scale = float(optimizer.scale_loss(1.0))
  if BACKEND == "jax":
    state = [w.value for w in optimizer.variables]
    weights, _ = optimizer.stateless_apply(state, [tensor([scale, scale])], [v.value])
    close(weights[0], [0.0, 1.0])
  else:
    optimizer.apply([tensor([scale, scale])], [v])
    close(v, [0.0, 1.0])
    close(inner.slots[0], [[0, 0], [1, 1]])


def test_accumulated_gradients_are_one_step_of_their_mean():
  gradients = np.random.default_rng(0).normal(size=[6, 3]).astype(np.float32)
  settings = {"momentum": 0.9, "l2": 0.1, "max_norm": 0.5, "groups": 2}
  whole, parts = variable(np.ones(3)), variable(np.ones(3))
  one, three = plain(0.1, **settings), plain(0.1, gradient_accumulation_steps=3, **settings)
  for optimizer, v in ((one, whole), (three, parts)):
    optimizer.build([v])
  for group in range(2):
    one.tell(group)
    one.apply([tensor(gradients[group::2].mean(axis=0))])
    for gradient in gradients[group::2]:
      three.tell(group)
      three.apply([tensor(gradient)])
  close(parts, ops.convert_to_numpy(whole))
  close(three.slots[0], ops.convert_to_numpy(one.slots[0]))
  assert int(three.iterations) == 2


def test_a_step_whose_loss_scale_overflows_changes_nothing_but_the_scale():
  inner, v = plain(groups=2, momentum=0.9), variable([1.0, 2.0])
  optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=4.0, dynamic_growth_steps=2)
  optimizer.build([v])
  inner.tell(1)
  step = scaled_step(optimizer, v)
  for gradient, scale, weight in ((4.0, 4, [0, 1]), (np.inf, 2, [0, 1]), (2.0, 2, [-1.9, -0.9]),
                                  (2.0, 4, [-4.61, -3.61])):
    step([gradient, gradient])
    close(v, weight)
    assert float(optimizer.scale_loss(1.0)) == scale
  assert int(inner.iterations) == 3 and int(ops.convert_to_numpy(inner.told[0])) == 1
  close(inner.slots[0], [[0, 0], [2.71, 2.71]])
  again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
  assert again.get_config() == optimizer.get_config()


def scaled_step(optimizer, v):
  """A step of a LossScaleOptimizer on this back end: JAX has only the stateless one."""
  def step(gradient):
    if BACKEND != "jax":
      optimizer.apply([tensor(gradient)], [v])
      return
    state = [w.value for w in optimizer.variables]
    weights, state = optimizer.stateless_apply(state, [tensor(gradient)], [v.value])
    for one, value in zip([v, *optimizer.variables], [*weights, *state]):
      one.assign(value)
  return step


def test_overwritten_weights_take_their_gradient():
  one, two = variable(ONES), variable(ONES)
  one.overwrite_with_gradient = True
  optimizer = plain(groups=3)
  optimizer.apply([tensor(np.full([2, 2], 7.0)), tensor(ONES)], [one, two])
  close(one, np.full([2, 2], 7.0))
  close(two, np.zeros([2, 2]))
  assert optimizer.slots[0] is None


def test_weights_that_are_overwritten_take_the_greatest_of_what_was_accumulated():
  one, two = variable(ONES), variable([[1.0, 2.0], [3.0, 4.0]])
  one.overwrite_with_gradient = True
  optimizer = plain(groups=2, gradient_accumulation_steps=2)
  optimizer.build([one, two])
  for value, first, second in ((1.0, ONES, [[1, 2], [3, 4]]),
                               (2.0, np.full([2, 2], 2.0), [[-0.5, 0.5], [1.5, 2.5]]),
                               (1.0, np.full([2, 2], 2.0), [[-0.5, 0.5], [1.5, 2.5]])):
    optimizer.apply([tensor(np.full([2, 2], value))] * 2)
    close(one, first)
    close(two, second)


def test_several_optimizers_of_one_model():
  bias, kernel = variable([1.0], name="bias"), variable([[1.0]], name="kernel")
  inner = plain(groups=2, momentum=0.9)
  several = keras.optimizers.MultiOptimizer(
      keras.optimizers.OptimizerMap(keras.optimizers.SGD(1.0), {"kernel": inner}))
  several.build([bias, kernel])
  for group in (1, 0, 1):
    inner.tell(group)
    several.apply([tensor([0.5]), tensor([[0.5]])], [bias, kernel])
  close(bias, [-0.5])
  close(kernel, [[1.0 - 0.5 - 0.5 - 0.95]])
  close(inner.slots[0], [[[0.5]], [[0.95]]])


def test_callbacks_set_the_rate_of_a_number_and_not_of_calr():
  made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
  data = np.ones([2, 1], np.float32), np.zeros([2, 1], np.float32)
  halved = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
  made.compile(plain(0.5), "mse")
  made.fit(*data, epochs=2, verbose=0, callbacks=[halved])
  assert float(made.optimizer.learning_rate) == 0.125
  made.compile(plain(optimizers.CaLR(1.0, 10, 1, 2)), "mse")
  with pytest.raises(TypeError, match="not settable"):
    made.fit(*data, verbose=0, callbacks=[halved])


def test_learning_rates_of_every_form():
  decay = keras.optimizers.schedules.PiecewiseConstantDecay([9], [0.5, 1.0])
  for rate in (0.5, lambda: 0.5, decay):
    v = variable([1.0])
    plain(rate).apply([tensor([1.0])], [v])
    close(v, [0.5])
  optimizer, v = plain(0.5), variable([1.0])
  optimizer.learning_rate = 0.25
  optimizer.apply([tensor([1.0])], [v])
  close(v, [0.75])
  count = len(optimizer.variables)
  optimizer.learning_rate = schedule = optimizers.CaLR(1.0, 10, 1, 2)
  assert len(optimizer.variables) == count and optimizer.variables[-1] is schedule.complexity
  with pytest.raises(TypeError, match="not settable"):
    optimizer.learning_rate = 0.1
  with pytest.raises(ValueError, match="float"):
    plain(1)


def test_weights_excluded_from_decay_by_name_or_as_they_are():
  for chosen in ({"var_names": ["bias"]}, {"var_list": "the bias"}):
    kernel, bias = variable([2.0], name="kernel"), variable([2.0], name="bias")
    optimizer = plain(l2=0.1)
    if "var_list" in chosen:
      chosen = {"var_list": [bias]}
    optimizer.exclude_from_weight_decay(**chosen)
    optimizer.apply([tensor([0.0]), tensor([0.0])], [kernel, bias])
    close(kernel, [1.8])
    close(bias, [2.0])
  with pytest.raises(errors.InputError, match="before `build`"):
    optimizer.exclude_from_weight_decay(var_names=["bias"])


@pytest.mark.skipif(BACKEND == "torch", reason="Keras has no sparse gradients there")
@pytest.mark.parametrize("off_path", ["moved", "frozen"])
def test_sparse_gradients_mean_what_dense_ones_do(off_path):
  results, rows = [], np.array([4, 0, 4])
  values = np.random.default_rng(0).normal(size=[3, 3, 2]).astype(np.float32)
  dense = np.zeros([5, 3, 2], np.float32)
  np.add.at(dense, rows, values)
  for gradient in (sparse(values, rows, dense.shape), tensor(dense)):
    v, optimizer = variable(np.ones([5, 3, 2])), optimizers.MS(0.1, off_path=off_path, groups=2)
    optimizer.build([v])
    for mask in (True, [True, True, False, False, True], [False] * 4 + [True]):
      optimizer.tell(1, [np.array(mask)])
      optimizer.apply([gradient])
    results.append([ops.convert_to_numpy(w) for w in (v, optimizer.slots[0])])
  for one, two in zip(*results):
    np.testing.assert_allclose(one, two, atol=1e-6)


def sparse(values, rows, shape):
  if BACKEND == "tensorflow":
    import tensorflow as tf
    return tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant(shape))
  from jax.experimental import sparse as jax_sparse
  return jax_sparse.BCOO((values, rows[:, None]), shape=shape)


def test_state_goes_to_another_by_weights_and_by_config():
  made, v = optimizers.MS(0.1, groups=2, name="mine", use_ema=True, clipvalue=1.0), variable(ONES)
  made.apply([tensor(ONES)], [v])
  made.tell(1)
  again = keras.optimizers.deserialize(keras.optimizers.serialize(made))
  assert again.get_config() == made.get_config() and again.name == "mine"
  with pytest.raises(errors.InputError, match="not built"):
    again.set_weights(made.variables)
  again.build([v])
  again.set_weights(made.variables)
  for one, two in zip(made.variables, again.variables):
    np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(two))
  with pytest.raises(errors.InputError, match="in place of"):
    again.set_weights([v] * len(again.variables))


@pytest.mark.skipif(BACKEND == "torch", reason="Keras does not compile there")
def test_it_trains_compiled_by_xla():
  data = np.ones([8, 2], np.float32), np.zeros([8, 1], np.float32)
  losses = []
  for compiled in (True, False):
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    made.compile(optimizers.MS(0.01, groups=2), "mse", jit_compile=compiled)
    losses.append(made.fit(*data, batch_size=4, epochs=4, verbose=0).history["loss"])
  close(losses[0], losses[1])
  assert losses[0][-1] < losses[0][0]


@pytest.mark.skipif(BACKEND == "torch", reason="Keras does not compile there")
def test_frozen_weights_train_compiled_by_xla_by_rows_and_whole():
  found = []
  for compiled, by_rows in ((True, False), (False, False), (False, True)):
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    optimizer = optimizers.MS(0.01, groups=2, off_path="frozen")
    if by_rows:
      optimizer.bind(2)
    made.compile(optimizer, "mse", jit_compile=compiled)
    optimizer.build(made.trainable_variables)
    start = ops.convert_to_numpy(made.trainable_variables[0])
    optimizer.tell(1, [np.array([True, False]), True, np.array([True, False, True]), True])
    made.fit(np.ones([8, 2], np.float32), np.zeros([8, 1]), batch_size=4, epochs=3, verbose=0)
    found.append([ops.convert_to_numpy(v) for v in (*made.trainable_variables, *optimizer.slots)])
    assert (found[-1][0][1] == start[1]).all() and (found[-1][0][0] != start[0]).all()
    assert not found[-1][4][0].any() and found[-1][4][1][0].any()
  for one, two, three in zip(*found, strict=True):
    close(one, two)
    close(one, three)


def test_a_schedule_is_called_with_a_number_or_a_variable_and_comes_from_its_config():
  schedule = optimizers.CaLR(0.1, steps=10, c_min=1, c_max=100, gamma_max=2.0)
  step = keras.Variable(5, dtype="int32", trainable=False)
  for form in (5, step, np.int64(5), keras.Variable(5.0)):
    close(schedule(form), 0.1 * 0.5**0.5)
  step.assign(20)
  close(schedule(step), 0.0)
  config = keras.optimizers.schedules.serialize(schedule)
  again = keras.optimizers.schedules.deserialize(config)
  assert again.get_config() == schedule.get_config()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's own")
def test_tensorflows_own_variables_and_checkpoints(tmp_path):
  import tensorflow as tf
  own, v = tf.Variable(np.array(ONES, np.float32)), variable(ONES)
  schedule = optimizers.CaLR(1.0, 8, 1, 9)
  optimizer = optimizers.MS(schedule, groups=2, l2=0.0, max_norm=None)
  optimizer.apply_gradients([(tensor(ONES), v), (tensor(ONES), own)])
  close(own, ops.convert_to_numpy(v))
  with pytest.warns(UserWarning, match="Gradients do not exist"):
    optimizer.apply_gradients([(tensor(ONES), v), (None, own)])
  optimizer.tell(1)
  schedule.tell(3.0)
  there = [*optimizer.variables[:-1], v, own]  # All but what CaLR was told, as its `tell` says.
  expected = [ops.convert_to_numpy(one) for one in there]
  checkpoint = tf.train.Checkpoint(optimizer=optimizer, v=v.value, own=own)
  path = checkpoint.save(tmp_path / "checkpoint")
  optimizer.apply_gradients([(tensor(ONES), v), (tensor(ONES), own)])
  optimizer.tell(0)
  schedule.tell(9.0)
  checkpoint.restore(path).assert_consumed()
  for one, value in zip(there, expected, strict=True):
    close(one, value)
  with pytest.raises(ValueError, match="stateless_apply is not supported"):
    optimizer.stateless_apply(optimizer.variables, [tensor(ONES)] * 2, [v, own])
