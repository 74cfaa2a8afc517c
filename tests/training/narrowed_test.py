"""Training on a space of fewer choices: paths, momentum groups and CaLR's bounds are its own."""

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.methods import fairnas
from tfdynnas.methods import sandwich
from tfdynnas.methods import single_path
from tfdynnas.training import recipe

SPACE = spaces.nasbench201(channels=2, cells=1, image_size=8)
ALL = (0, 1, 2, 3, 4)
# The first edge is a 3x3, the others do not pool.
LEFT = SPACE.restrict([(3,), *[(0, 1, 2, 3)] * 5])


@pytest.mark.parametrize("make", [
    single_path.SinglePath, fairnas.FairNAS, sandwich.Sandwich,
    lambda space: single_path.SinglePath(space, sampler="proportional"),
    lambda space: single_path.SinglePath(space, sampler="stratified"),
])
def test_every_method_draws_what_is_left(make):
  method = make(LEFT)
  paths = np.concatenate([ops.convert_to_numpy(method.sampler(step)) for step in range(60)])
  assert all(LEFT.allows(path) for path in paths.tolist())
  assert [len(np.unique(paths[:, place])) for place in range(6)] == [1, 4, 4, 4, 4, 4]


def test_groups_are_those_of_a_decision_with_several_choices_left():
  left = SPACE.restrict([(3,), (1, 3, 4), (3,), (3,), (3,), (3,)])
  for seed in range(5):
    method = single_path.SinglePath(left, seed)
    assert (method.split_decision, method.groups) == (1, 3)
  archs = [ops.convert_to_tensor((3, choice, 3, 3, 3, 3)) for choice in (1, 3, 4)]
  groups = [int(method.group(arch)) for arch in archs]
  assert groups == [0, 1, 2]
  assert single_path.SinglePath(SPACE.restrict([(3,)] * 6)).groups == 1
  with pytest.raises(errors.InputError, match="`split_decision` must be .* Received: 0, 1<-0"):
    single_path.SinglePath(left, split_decision=0)


def test_a_part_is_of_what_is_left():
  method = single_path.SinglePath(LEFT, allowed=[ALL, (1,), ALL, ALL, ALL, ALL])
  assert method.allowed == ((3,), (1,), *[(0, 1, 2, 3)] * 4) and method.split_decision > 1
  again = single_path.SinglePath.from_config(method.get_config())
  assert (again.allowed, again.space.allowed) == (method.allowed, LEFT.allowed)


def test_the_bounds_of_the_learning_rate_are_those_of_what_is_left():
  made = recipe.make_supernet(config.SupernetConfig(), LEFT, 10)
  schedule = keras.optimizers.schedules.deserialize(
      made.optimizer.get_config()["learning_rate"])
  conv = SPACE.cost((3, 0, 0, 0, 0, 0), "complexity")
  assert schedule.get_config()["c_min"] == conv  # One 3x3, nothing else.
  assert schedule.get_config()["c_max"] == SPACE.cost((3,) * 6, "complexity")
  with pytest.raises(errors.InputError, match="CaLR needs subnets of different complexity"):
    recipe.make_supernet(config.SupernetConfig(), SPACE.restrict([(3,)] * 6), 10)
