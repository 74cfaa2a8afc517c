"""MS and CaLR as configs, copies and stored state: whole, or refused with nothing changed.

`told_test` runs this file on each back end.
"""

import copy
import json
import pickle
import zipfile

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import optimizers

ONES, ZEROS = np.ones([4, 2], np.float32), np.zeros([4, 1], np.float32)


def schedule():
  return optimizers.CaLR(0.1, steps=8, c_min=10, c_max=1000)


def built(groups=2, shapes=((2,), (3, 4)), **settings):
  optimizer = optimizers.MS(schedule(), groups=groups, **settings)
  optimizer.build([keras.Variable(np.ones(shape, np.float32)) for shape in shapes])
  return optimizer


def model(groups=2):
  made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
  made.compile(optimizers.MS(schedule(), groups=groups), "mse")
  made.fit(ONES, ZEROS, batch_size=2, verbose=0)
  made.optimizer.tell(1)
  made.optimizer._learning_rate.tell(20.0)
  return made


def values(optimizer):
  return [ops.convert_to_numpy(v) for v in optimizer.variables]


def filled(optimizer):
  """Gives each variable a value of its own; returns them."""
  for place, v in enumerate(optimizer.variables):
    v.assign(np.full(v.shape, 1 if "group" in v.path else place + 11).astype(v.dtype))
  return values(optimizer)


OTHERS = [
    ({"groups": 3}, r"\(2, 2\) in place of \(3, 2\)"),
    ({"groups": 1}, r"\(2, 2\) in place of \(1, 2\)"),
    ({"shapes": [(2,), (4, 3)]}, r"\(2, 3, 4\) in place of \(2, 4, 3\)"),
    ({"shapes": [(3, 4), (2,)]}, r"\(2, 2\) in place of \(2, 3, 4\)"),
    ({"shapes": [(2,)]}, "5 variables in place of 4"),
    ({"shapes": [(2,), (3, 4), (1,)]}, "5 variables in place of 6"),
    ({"off_path": "frozen"}, r"\(\) in place of \(6,\)|5 variables in place of 6"),
]


@pytest.mark.parametrize("way", ["store", "list"])
@pytest.mark.parametrize("other, difference", OTHERS)
def test_the_state_of_another_optimizer_is_refused_whole(recwarn, way, other, difference):
  """It ends as 5 variables: iterations, two of momentum, group and complexity."""
  source, optimizer, store = built(), built(**other), {}
  filled(source)
  source.save_own_variables(store)
  before = values(optimizer)
  with pytest.raises(errors.InputError, match=f"as many groups.* Received: ({difference})$"):
    if way == "store":
      optimizer.load_own_variables(store)
    else:
      optimizer.set_weights(source.variables)
  for one, two in zip(before, values(optimizer), strict=True):
    np.testing.assert_array_equal(one, two)
  assert not [one for one in recwarn if "Skipping" in str(one.message)]


def test_a_state_goes_to_an_optimizer_like_its_own():
  for settings in ({}, {"off_path": "frozen"}, {"groups": 3, "use_ema": True}):
    source, store = built(**settings), {}
    expected = filled(source)
    source.save_own_variables(store)
    for way in ("store", "list"):
      optimizer = built(**settings)
      if way == "store":
        optimizer.load_own_variables(store)
      else:
        optimizer.set_weights(source.variables)
      for one, two in zip(expected, values(optimizer), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("wrong", [1, -1])
def test_lists_of_another_length_are_refused(wrong):
  optimizer = built()
  weights = values(optimizer)
  with pytest.raises(errors.InputError, match="variables in place of 5"):
    optimizer.set_weights(weights[:1] if wrong < 0 else [*weights, weights[-1]])


def test_an_optimizer_that_is_not_built_takes_no_state():
  store = {}
  built().save_own_variables(store)
  with pytest.raises(errors.InputError, match="5 variables in place of 1, which is not built"):
    optimizers.MS(schedule(), groups=2).load_own_variables(store)


def test_a_model_whose_file_has_fewer_groups_is_not_loaded(tmp_path):
  made = model()
  made.save(tmp_path / "two.keras")
  with zipfile.ZipFile(tmp_path / "two.keras") as file:
    parts = {name: file.read(name) for name in file.namelist()}
  assert parts["config.json"].count(b'"groups": 2') == 1
  parts["config.json"] = parts["config.json"].replace(b'"groups": 2', b'"groups": 3')
  with zipfile.ZipFile(tmp_path / "three.keras", "w") as file:
    for name, content in parts.items():
      file.writestr(name, content)
  with pytest.raises(ValueError, match=r"as many groups.*\(2, 2, 1\) in place of \(3, 2, 1\)"):
    keras.saving.load_model(tmp_path / "three.keras")
  again = keras.saving.load_model(tmp_path / "two.keras")
  for one, two in zip(values(made.optimizer), values(again.optimizer), strict=True):
    np.testing.assert_array_equal(one, two)


def piped(value):
  return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("way", [copy.deepcopy, piped])
def test_copies_hold_what_was_set_and_what_was_told(way):
  optimizer = optimizers.MS(schedule(), groups=3, off_path="frozen", name="mine")
  assert way(optimizer).get_config() == optimizer.get_config()
  told = schedule()
  told.tell(20.0)
  again = way(told)
  told.tell(1000.0)
  assert again.complexity is not told.complexity and again.get_config() == told.get_config()
  assert float(again(3)) == pytest.approx(0.1 * (5 / 8) ** exponent(20.0), rel=1e-5)
  scaled = keras.optimizers.LossScaleOptimizer(optimizer)
  assert way(scaled).inner_optimizer.get_config() == optimizer.get_config()
  made = model()
  twin = way(made)
  assert len(values(made.optimizer)) == 5
  for one, two in zip(values(made.optimizer), values(twin.optimizer), strict=True):
    np.testing.assert_array_equal(one, two)
  twin.fit(ONES, ZEROS, verbose=0)
  assert int(made.optimizer.iterations) == 2 and int(twin.optimizer.iterations) == 3


def exponent(complexity):
  return 4.0 - 3.75 * np.log(complexity / 10) / np.log(100)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_built_optimizer_is_not_copied_without_its_state(way):
  with pytest.raises(errors.InputError, match="copied with its model.* Received: one to copy"):
    way(built())


@pytest.mark.parametrize("made", [
    optimizers.MS(0.1, 0.8, False, 1e-3, 2.0, 4, "frozen", "kernels"), optimizers.MS(schedule()),
    optimizers.MS(0.1, max_norm=None, clipvalue=1.0, use_ema=True, gradient_accumulation_steps=2),
    optimizers.MS(0.1, groups=np.int64(2), l2=np.float32(0.5), momentum=np.float64(0.5)),
    optimizers.CaLR(np.float32(0.5), np.int64(8), np.int64(1), np.float64(9), 0.5, paths=3),
])
def test_a_config_is_json_and_makes_the_same(made):
  serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(made)))
  again = keras.saving.deserialize_keras_object(serialized)
  assert type(again) is type(made) and again.get_config() == made.get_config()
  assert type(made).from_config(made.get_config()).get_config() == made.get_config()
  assert {*dir(again)} == {*dir(made)}
  if isinstance(made, optimizers.MS):
    assert keras.optimizers.get(made) is made
    assert keras.optimizers.get(serialized).get_config() == made.get_config()


def test_by_their_registered_names_they_are_found():
  assert isinstance(keras.optimizers.get("tfdynnas>MS"), optimizers.MS)
  assert keras.saving.get_registered_object("tfdynnas>CaLR") is optimizers.CaLR
