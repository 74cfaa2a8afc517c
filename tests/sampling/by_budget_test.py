"""Archs within ranges of costs, against enumeration."""

import itertools
import math

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import sampling
from tfdynnas import spaces

FIXED, ROWS = 2, [[0, 3, 5], [0, 2], [1, 4, 4, 0]]
_RNG = np.random.default_rng(0)
LARGE = _RNG.integers(0, 10**6, [5, 6]).tolist()  # 7 776 archs, their costs rounded.
MOBILENET = spaces.mobilenet()


def drawn(sampler, steps):
  steps = ops.convert_to_tensor(np.arange(steps, dtype=np.int32))
  return ops.convert_to_numpy(ops.vectorized_map(sampler, steps))[:, 0]


def listed(rows, fixed=0):
  """(archs, costs) of all archs."""
  archs = np.array(list(itertools.product(*(range(len(row)) for row in rows))))
  return archs, fixed + sum(np.array(row)[archs[:, place]] for place, row in enumerate(rows))


def shares(rows, archs):
  """Share of each of all archs among those drawn."""
  shape = [len(row) for row in rows]
  places = np.ravel_multi_index(archs.T, shape)
  return np.bincount(places, minlength=int(np.prod(shape))) / len(archs)


def check(rows, archs, expected):
  """None outside, and chi-squared of those inside within 5 standard deviations."""
  found = shares(rows, archs)
  assert not found[expected == 0].any()
  inside = expected[expected > 0]
  squares = len(archs) * np.sum((found[expected > 0] - inside) ** 2 / inside)
  freedom = max(len(inside) - 1, 1)
  assert abs(squares - freedom) < 5 * np.sqrt(2 * freedom), (squares, freedom)


def test_each_range_is_as_likely_and_each_arch_of_it():
  _, costs = listed(ROWS, FIXED)
  ranges = [(2, 5), (9, 9), (10.5, 100)]
  expected = np.zeros(len(costs))
  for low, high in ranges:
    inside = (costs >= low) & (costs <= high)
    expected[inside] += 1 / 3 / inside.sum()
  check(ROWS, drawn(sampling.Budget(FIXED, ROWS, ranges, seed=3), 4000), expected)


def test_where_costs_are_rounded_the_range_is_exact_still():
  _, costs = listed(LARGE)
  low, high = np.quantile(costs, [0.01, 0.02])
  inside = (costs >= low) & (costs <= high)
  check(LARGE, drawn(sampling.Budget(0, LARGE, [(low, high)], seed=1), 2000), inside / inside.sum())


def test_a_range_of_one_arch_is_hit():
  archs, costs = listed(LARGE)
  for place in (*np.argsort(costs)[[0, 3888, -1]], 1234):
    made = sampling.Budget(0, LARGE, [(costs[place], costs[place])])
    assert (drawn(made, 20) == archs[place]).all()


def test_between_two_neighbours_there_is_nothing():
  costs = np.unique(listed(LARGE)[1])
  for place in (0, 3000, np.argmax(np.diff(costs))):
    with pytest.raises(errors.InputError, match="Each range must "):
      sampling.Budget(0, LARGE, [(0, 10**7), (costs[place] + 1, costs[place + 1] - 1)])


def test_restricted():
  allowed = [[0, 2], [1], [0, 1, 3]]
  archs, costs = listed(ROWS, FIXED)
  inside = (costs >= 5) & (costs <= 9)
  inside &= [all(c in own for c, own in zip(arch, allowed)) for arch in archs]
  assert 1 < inside.sum() < 6
  made = sampling.Budget(FIXED, ROWS, [(5, 9)], seed=1, allowed=allowed)
  check(ROWS, drawn(made, 1000), inside / inside.sum())


def test_published_ranges_of_mobilenet_and_a_rare_one():
  cost = MOBILENET.costs["macs"]
  ranges = [(300e6, 310e6), (310e6, 320e6), (330e6, 330.01e6), (602e6, 602.5e6)]
  made = sampling.Budget(cost.fixed, cost.table, ranges, seed=2)
  archs = drawn(made, 240)
  macs = np.array([MOBILENET.cost(arch, "macs") for arch in archs])
  within = [(macs >= low) & (macs <= high) for low, high in ranges]
  assert np.sum(within) == 240 and np.abs(np.sum(within, axis=1) - 60).max() < 34
  assert len(np.unique(archs[within[2]], axis=0)) > 30
  with pytest.raises(errors.InputError, match="must hold an arch"):
    sampling.Budget(cost.fixed, cost.table, [(603e6, 603.1e6)])


def test_the_seed_and_the_step_decide():
  made = [sampling.Budget(FIXED, ROWS, [(2, 9)], seed) for seed in (0, 0, 1)]
  paths = [drawn(each, 10).tolist() for each in made]
  assert paths[0] == paths[1] != paths[2]
  assert ops.convert_to_numpy(made[0](7)).tolist() == [paths[0][7]]


def test_of_a_space_the_ranges_of_a_flag():
  space = spaces.nasbench201(channels=2, cells=1, image_size=8)
  low, high = space.bounds("params")
  sampler = sampling.Budget.of_space(space, 3, None, budget=f"params:{low}-{low + 1},{high}-1e9")
  costs = {space.cost(arch.tolist(), "params") for arch in drawn(sampler, 30)}  # Both ends.
  assert costs == {low, high}
  with pytest.raises(errors.InputError, match="needs ranges: give a Budget. Received: none"):
    sampling.Budget.of_space(space, 3, None)


def test_config_round_trip():
  made = sampling.Budget(FIXED, ROWS, [(5, 9)], seed=1, allowed=[[0, 2], [1], [0, 1, 3]])
  again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
  assert drawn(again, 10).tolist() == drawn(made, 10).tolist()


@pytest.mark.parametrize("ranges", [
    [], [(0, 1)], [(14, 99)], [(9, 5)], [(5, 9), (12, 12)], [(math.inf, math.inf)]])
def test_a_range_without_an_arch_is_refused(ranges):
  with pytest.raises(errors.InputError, match="costs are 2 to 13. Received"):
    sampling.Budget(FIXED, ROWS, ranges)


def test_a_range_without_an_end_is_all_above():
  ends = (sampling.Budget(FIXED, ROWS, [(9, end)], seed=1) for end in (13, math.inf))
  first, second = (drawn(made, 20).tolist() for made in ends)
  assert first == second


def test_more_archs_than_float32_counts():
  made = sampling.Budget(0, [list(range(7))] * 60, [(2, 3)], seed=1)  # 5e50 archs.
  costs = drawn(made, 300).sum(axis=1)
  # Of sum 2 there are 60 + 60 * 59 / 2, of 3 60 + 60 * 59 + 60 * 59 * 58 / 6.
  assert set(costs) == {2, 3} and (costs == 2).mean() == pytest.approx(0.046, abs=0.05)
  with pytest.raises(errors.InputError, match="below 1e308 archs. Received: 400"):
    sampling.Budget(0, [list(range(10))] * 400, [(2, 3)])


@pytest.mark.parametrize("rows, ranges", [
    ([[0, 0.9], [0, 0.9]], [(0, 1)]), ([[0, 1]], [(math.nan, 1)])])
def test_numbers_that_cannot_be_counted_are_refused(rows, ranges):
  with pytest.raises(errors.InputError, match="must be whole, and ranges of numbers"):
    sampling.Budget(0, rows, ranges)


def test_costs_too_far_apart_are_refused():
  with pytest.raises(errors.InputError, match="2147483648"):
    sampling.Budget(0, [[0, 1, 2**31]], [(0, 1)])
