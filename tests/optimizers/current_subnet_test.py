"""What MS and CaLR are told reaches every step, however it is run; on JAX too, see the end."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import optimizers

BACKEND = keras.backend.backend()
STEPS = [(0, 10.0), (1, 1000.0), (1, 10.0), (0, 1000.0)]  # Group and complexity of each step.


def schedule():
  return optimizers.CaLR(0.1, steps=8, c_min=10, c_max=1000)


def mean(truth, outputs):
  return outputs


def model(optimizer, **settings):
  """A weight [2] whose gradient at any step is the mean of the batch."""
  made = keras.Sequential([
      keras.Input((2,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
  ])
  made.compile(optimizer, mean, **settings)
  made.optimizer.build(made.trainable_variables)
  return made


def by_hand(momentum=0.9, groups=(0, 1, 1, 0)):
  """The weight after the four steps in float64; the momentum that its groups hold."""
  weight, buffers = np.ones(2), np.zeros([2, 2])
  for step, ((_, complexity), group) in enumerate(zip(STEPS, groups)):
    buffers[group] = momentum * buffers[group] + 1
    rate = 0.1 * ((8 - step) / 8) ** (4.0 if complexity == 10 else 0.25)
    weight = weight - rate * buffers[group]
  return weight, buffers


def ms(**settings):
  return optimizers.MS(schedule(), nesterov=False, l2=0, groups=2, **settings)


class Tell(keras.callbacks.Callback):

  def on_train_batch_begin(self, batch, logs=None):
    optimizer = self.model.optimizer
    group, complexity = STEPS[batch]
    optimizer.tell(group)
    optimizer._learning_rate.tell(complexity)


def check(optimizer, weight):
  expected, buffers = by_hand()
  np.testing.assert_allclose(np.ravel(ops.convert_to_numpy(weight)), expected, rtol=1e-5)
  slot = ops.convert_to_numpy(optimizer.slots[0])[..., 0]
  np.testing.assert_allclose(slot, buffers, rtol=1e-5)


DATA = np.ones([4, 2], np.float32), np.ones([4, 1], np.float32)


@pytest.mark.parametrize("eagerly", [False, True])
def test_fit_hears_a_callback(eagerly):
  made = model(ms(), run_eagerly=eagerly)
  made.fit(*DATA, batch_size=1, verbose=0, callbacks=[Tell()])
  check(made.optimizer, made.weights[0])


def test_train_on_batch_hears_and_a_saved_model_goes_on(tmp_path):
  made = model(ms(off_path="frozen"))
  for step, (group, complexity) in enumerate(STEPS):
    made.optimizer.tell(group)
    made.optimizer._learning_rate.tell(complexity)
    if step == 2:  # Between telling and the step.
      made.save(tmp_path / "made.keras")
      made = keras.saving.load_model(tmp_path / "made.keras", custom_objects={"mean": mean})
    made.train_on_batch(DATA[0][:1], DATA[1][:1])
  check(made.optimizer, made.weights[0])


@pytest.mark.skipif(BACKEND != "jax", reason="Keras has it on JAX alone")
def test_a_jitted_stateless_apply_hears():
  import jax
  optimizer, weight = ms(), keras.Variable(np.ones([2, 1], np.float32))
  optimizer.build([weight])
  step = jax.jit(optimizer.stateless_apply)
  for group, complexity in STEPS:
    optimizer.tell(group)
    optimizer._learning_rate.tell(complexity)
    state = [v.value for v in optimizer.variables]
    weights, state = step(state, [np.ones([2, 1], np.float32)], [weight.value])
    for variable, value in zip([weight, *optimizer.variables], [*weights, *state]):
      variable.assign(value)
  check(optimizer, weight)


def test_another_optimizer_hears_calr_or_it_is_refused_and_the_way_that_it_names_works():
  class Rate(keras.callbacks.Callback):

    def on_train_batch_begin(self, batch, logs=None):
      if kind == "schedule":
        calr.tell(STEPS[batch][1])
      else:
        optimizer = self.model.optimizer
        optimizer.learning_rate = calr.rate(optimizer.iterations, STEPS[batch][1])

  expected, _ = by_hand(0.0)
  for kind in ("schedule", "rate"):
    calr = schedule()
    made = model(keras.optimizers.SGD(calr if kind == "schedule" else 0.1))
    if BACKEND == "jax" and kind == "schedule":
      with pytest.raises(errors.InputError, match="optimizer.learning_rate = schedule.rate"):
        made.fit(*DATA, batch_size=1, verbose=0, callbacks=[Rate()])
      continue
    made.fit(*DATA, batch_size=1, verbose=0, callbacks=[Rate()])
    np.testing.assert_allclose(np.ravel(made.get_weights()[0]), expected, rtol=1e-5)


@pytest.mark.skipif(BACKEND != "jax", reason="other back ends leave the state in its variables")
def test_telling_what_fit_would_overwrite_is_refused():
  optimizer = ms()

  class Early(keras.callbacks.Callback):

    def on_train_batch_begin(self, batch, logs=None):
      optimizer.tell(batch % 2)

  with pytest.raises(errors.InputError, match="self.model"):
    model(optimizer).fit(*DATA, batch_size=1, verbose=0, callbacks=[Early()])


def test_a_state_saved_before_what_is_told_was_part_of_it_opens():
  def built():
    optimizer = ms()
    optimizer.build([keras.Variable(np.ones(2, np.float32))])
    return optimizer

  old, store = built(), {}
  old.slots[0].assign(np.full([2, 2], 3.0))
  old.save_own_variables(store)
  assert len(store) == 4  # Iterations, slot, group, complexity.
  for key in ("2", "3"):
    del store[key]
  again, listed = built(), built()
  again.tell(1)
  again.load_own_variables(store)
  listed.set_weights([ops.convert_to_numpy(v) for v in old.variables][:2])
  for optimizer in (again, listed):
    np.testing.assert_array_equal(ops.convert_to_numpy(optimizer.slots[0]), np.full([2, 2], 3.0))
  assert int(ops.convert_to_numpy(again.told[0])) == 1


@pytest.mark.parametrize("group", [-1, 2, 0.5, float("nan"), [0, 1]])
def test_no_such_group(group):
  optimizer = ms()
  optimizer.build([keras.Variable(np.ones(2, np.float32))])
  with pytest.raises(errors.InputError, match="`group` must"):
    optimizer.tell(group)
  with pytest.raises(errors.InputError, match="`group` must"):
    optimizer.tell(ops.convert_to_tensor(group))


@pytest.mark.parametrize("complexity", [9.9, 1001, 0, -5, float("nan"), float("inf"), [10, 20]])
def test_no_such_complexity(complexity):
  with pytest.raises(errors.InputError, match="`complexity` must"):
    schedule().tell(complexity)


@pytest.mark.parametrize("group, complexity", [(2, 10.0), (-1, 10.0), (0, 5000.0), (0, 1.0)])
@pytest.mark.skipif(BACKEND != "tensorflow", reason="torch compiles nothing; JAX: see the next")
def test_what_a_compiled_step_computes_wrong_is_not_clamped(group, complexity):
  class Computes(keras.Model):

    def __init__(self):
      super().__init__()
      self.dense = keras.layers.Dense(1)
      self.dense.build((None, 2))

    def call(self, inputs):
      return self.dense(inputs)

    def train_step(self, *args):
      step = ops.cast(self.optimizer.iterations, "int32")
      self.optimizer.tell(step + group)
      self.optimizer._learning_rate.tell(ops.cast(step, "float32") + complexity)
      return super().train_step(*args)

  made = Computes()
  made.compile(ms(), "mse")
  made.optimizer.build(made.trainable_variables)
  try:
    made.fit(DATA[0][:1], DATA[1][:1], verbose=0)
  except Exception as error:  # TensorFlow's own, of the index.
    assert "indices" in str(error)
  else:
    assert np.isnan(made.get_weights()[0]).all()


@pytest.mark.skipif(BACKEND != "jax", reason="as above, on JAX")
@pytest.mark.parametrize("group, complexity", [(2, 10.0), (-1, 10.0), (0, 5000.0), (0, 1.0)])
def test_what_a_jitted_step_computes_wrong_is_not_clamped(group, complexity):
  import jax
  optimizer, weight = ms(), keras.Variable(np.ones([2], np.float32))
  optimizer.build([weight])
  variables = [weight, *optimizer.variables]

  @jax.jit
  def step(state, group, complexity):
    with keras.StatelessScope(state_mapping=list(zip(variables, state))) as scope:
      optimizer.tell(group)
      optimizer._learning_rate.tell(complexity)
      optimizer.apply([np.ones([2], np.float32)])
    return scope.get_current_value(weight)

  state = [v.value for v in variables]
  assert np.isnan(step(state, group, complexity)).all()
  assert np.isfinite(step(state, 1, 20.0)).all()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="launches JAX")
def test_the_same_on_jax():
  pytest.importorskip("jax", reason="the extra `jax` is not installed")
  here = pathlib.Path(__file__)
  files = [here, *map(here.with_name, ("keras_contract_test.py", "keras_saving_test.py"))]
  done = subprocess.run(
      [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *map(str, files)],
      env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
      capture_output=True, text=True, check=False, cwd=here.parents[2],
  )
  assert done.returncode == 0, done.stdout[-3000:]
