"""Samplers, groups and CaLR on a space of 2e17 archs whose decisions have six or seven choices."""

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import methods
from tfdynnas import sampling
from tfdynnas import spaces
from tfdynnas.optimizers import calr
from tfdynnas.sampling import samplers

SPACE = spaces.mobilenet()
COUNTS = [len(decision.choices) for decision in SPACE.decisions]
LEAST, GREATEST = SPACE.bounds("complexity")


def drawn(sampler, steps):
  """int [steps, paths, decisions]."""
  steps = ops.convert_to_tensor(np.arange(steps, dtype=np.int32))
  return ops.convert_to_numpy(ops.vectorized_map(sampler, steps))


def complexities(archs):
  return np.array([SPACE.cost(arch, "complexity") for arch in archs], np.float64)


def test_uniform_draws_every_choice_there_is():
  archs = drawn(samplers.make("uniform", SPACE, 1), 3000)[:, 0]
  for column, count in zip(archs.T, COUNTS):
    seen = np.bincount(column, minlength=count)
    assert len(seen) == count and np.abs(seen - 3000 / count).max() < 5 * np.sqrt(3000 / count)


def test_proportional_has_the_mean_of_its_distribution():
  archs = drawn(samplers.make("proportional", SPACE, 1), 1500)[:, 0]
  rows = [np.array(row, np.float64) for row in SPACE.costs["complexity"].table]
  mean = SPACE.costs["complexity"].fixed + sum(row.mean() for row in rows)
  variance = sum(row.var() for row in rows)
  # The mean of C in proportion to C is E[C^2] / E[C] = mean + variance / mean.
  spread = 5 * np.sqrt(variance / 1500)
  assert variance / mean > 2 * spread / 5
  assert abs(complexities(archs).mean() - mean - variance / mean) < spread


def test_stratified_covers_the_whole_range_evenly():
  archs = drawn(samplers.make("stratified", SPACE, 1), 640)[:, 0]
  places = (complexities(archs) - LEAST) / (GREATEST - LEAST)
  # Ten parts of 6.4 levels; uniform archs are nearly all in the middle four.
  seen = np.histogram(places, np.linspace(0, 1, 11))[0]
  assert seen.sum() == 640 and seen.min() > 25 and seen.max() < 105


def test_fair_has_each_choice_once_and_the_seventh_path_anew():
  paths = drawn(sampling.Fair(COUNTS, seed=1), 120)
  assert paths.shape == (120, 7, 21)
  extra = np.zeros(6)
  for step in paths:
    for column, count in zip(step.T, COUNTS):
      seen = np.bincount(column, minlength=count)
      assert len(seen) == count and seen.min() == 1 and seen.sum() == 7
    extra += np.bincount(step[:, 0], minlength=6) - 1
  assert np.abs(extra - 20).max() < 21  # 5 standard deviations.


def test_methods_take_the_space_and_return_from_their_config():
  made = [
      methods.SinglePath(SPACE, seed=3, split_decision=0),
      methods.FairNAS(SPACE, seed=3, split_decision=1, momentum_groups="split"),
      methods.Sandwich(SPACE, seed=3, split_decision=0, momentum_groups="random"),
  ]
  for method, groups, paths in zip(made, (6, 7, 6), (1, 7, 4)):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(method))
    assert again.space == SPACE and again.groups == method.groups == groups
    archs = ops.convert_to_numpy(method.sampler(5))
    assert archs.shape == (paths, 21)
    np.testing.assert_array_equal(ops.convert_to_numpy(again.sampler(5)), archs)
    for arch in archs:
      SPACE.validate(arch)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(method.complexity(ops.convert_to_tensor(archs))), complexities(archs))
  assert ops.convert_to_numpy(made[2].sampler(5))[:2].tolist() == [
      list(SPACE.largest()), list(SPACE.smallest())]


def test_a_method_takes_a_budget():
  cost = SPACE.costs["macs"]
  made = sampling.Budget(cost.fixed, cost.table, [(300e6, 310e6)], seed=4)
  method = methods.SinglePath(SPACE, sampler=made)
  again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(method))
  archs = [ops.convert_to_numpy(sampler(7)).tolist()
           for sampler in (made, method.sampler, again.sampler)]
  assert archs[0] == archs[1] == archs[2] and len(archs[0]) == 1
  assert 300e6 <= SPACE.cost(archs[0][0], "macs") <= 310e6
  with pytest.raises(errors.InputError, match="`sampler` must draw from the allowed"):
    methods.SinglePath(SPACE, sampler=made, allowed=[[0]] + [range(n) for n in COUNTS[1:]])


def test_groups_are_the_choices_of_one_layer():
  arch = ops.convert_to_tensor((5, 6, 2, 0) * 5 + (1,), "int32")
  for split, group in ((0, 5), (1, 6), (20, 1)):
    method = methods.SinglePath(SPACE, split_decision=split)
    assert int(method.group(arch)) == group < method.groups == COUNTS[split]
  method = methods.SinglePath(SPACE, split_decision=1, momentum_groups="random")
  rng = np.random.default_rng(0)
  archs = ops.convert_to_tensor([SPACE.sample(rng) for _ in range(140)], "int32")
  groups = ops.convert_to_numpy(ops.vectorized_map(method.group, archs))
  assert set(groups.tolist()) == set(range(7))


def test_calr_on_the_published_bounds():
  slope, offset = calr.coefficients(LEAST, GREATEST, 4.0)
  np.testing.assert_allclose([slope, offset], [-4.375765927805, 67.79354371], rtol=1e-9)
  gammas = [float(calr.gamma(SPACE.cost((choice,) * 21, "complexity"), LEAST, GREATEST, 4.0))
            for choice in (0, 1)]
  np.testing.assert_allclose(gammas, [2.299680, 0.628228], atol=2e-5)


def test_path_importance_is_of_names_and_a_decision_that_lacks_one_draws_from_the_others():
  method = methods.PathImportance(SPACE, seed=1)
  assert method.state.distribution.shape == (7,)
  method.state.distribution.assign([0.05] * 6 + [0.7])  # The last name is `identity`.
  archs = drawn(method.sampler, 600)[:, 0]
  for column, count in zip(archs.T, COUNTS):
    wanted = np.array([0.05] * 6 + [0.7])[:count]
    wanted = 600 * wanted / wanted.sum()
    seen = np.bincount(column, minlength=count)
    assert len(seen) == count and np.all(np.abs(seen - wanted) < 5 * np.sqrt(wanted))
