"""The distributions of the samplers that go by complexity, against enumeration."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import sampling
from tfdynnas import spaces
from tfdynnas.sampling import samplers

FIXED, ROWS = 2, [[0, 3, 5], [0, 2], [1, 4, 4, 0]]
ARCHS = list(itertools.product(*(range(len(row)) for row in ROWS)))
COSTS = np.array([sum(row[c] for row, c in zip(ROWS, arch)) for arch in ARCHS])
LEVELS, SIZES = np.unique(COSTS, return_counts=True)
DRAWS = 20000


def drawn(sampler, steps=DRAWS):
  steps = ops.convert_to_tensor(np.arange(steps, dtype=np.int32))
  return ops.convert_to_numpy(ops.vectorized_map(sampler, steps))[:, 0]


def chi_squared(archs, expected):
  """Sum of squared differences over variances, for probabilities of ARCHS; 0 of it never drawn."""
  place = np.ravel_multi_index(archs.T, [len(row) for row in ROWS])
  counts = np.bincount(place, minlength=len(ARCHS))
  assert not counts[expected == 0].any()
  wanted = expected[expected > 0] * len(archs)
  return ((counts[expected > 0] - wanted) ** 2 / wanted).sum()


def test_proportional_is_proportional():
  expected = (FIXED + COSTS) / (FIXED + COSTS).sum()
  archs = drawn(sampling.Proportional(FIXED, ROWS, seed=3))
  assert chi_squared(archs, expected) < 58  # 23 degrees of freedom: 1e-4.
  assert chi_squared(archs, np.full(24, 1 / 24)) > 1000


def test_proportional_without_what_all_archs_have_never_draws_complexity_0():
  assert chi_squared(drawn(sampling.Proportional(0, ROWS, seed=3)), COSTS / COSTS.sum()) < 58


def test_stratified_is_uniform_over_levels_and_within_them():
  sizes = dict(zip(LEVELS, SIZES))
  expected = np.array([1 / len(LEVELS) / sizes[cost] for cost in COSTS])
  archs = drawn(sampling.Stratified(ROWS, seed=3))
  assert chi_squared(archs, expected) < 58
  assert chi_squared(archs, np.full(24, 1 / 24)) > 1000


@pytest.mark.parametrize("name", ["proportional", "stratified"])
def test_restricted(name):
  allowed = [[0, 2], [1], [0, 1, 3]]
  rows = {"rows": ROWS, "allowed": allowed, "seed": 1}
  made = {"proportional": sampling.Proportional, "stratified": sampling.Stratified}[name](
      **rows, **({"fixed": FIXED} if name == "proportional" else {}))
  inside = np.array([all(c in own for c, own in zip(arch, allowed)) for arch in ARCHS])
  if name == "proportional":
    expected = inside * (FIXED + COSTS) / (FIXED + COSTS)[inside].sum()
  else:
    levels, counts = np.unique(COSTS[inside], return_counts=True)
    sizes = dict(zip(levels, counts))
    expected = np.array([i / len(levels) / sizes.get(c, 1) for i, c in zip(inside, COSTS)])
  assert chi_squared(drawn(made), expected) < 28  # 5 degrees of freedom: 4e-5.


def test_levels_of_nasbench201_are_as_likely():
  space = spaces.nasbench201()
  archs = drawn(samplers.make("stratified", space, 0), 5600)
  _, counts = np.unique([space.cost(arch, "complexity") for arch in archs], return_counts=True)
  assert len(counts) == 28 and np.abs(counts - 200).max() < 70


def test_many_levels_are_put_into_64_bins_of_equal_width():
  rng = np.random.default_rng(0)
  rows = rng.integers(0, 10**6, [20, 6]).tolist()
  least, most = (sum(extreme(row) for row in rows) for extreme in (min, max))
  archs = drawn(sampling.Stratified(rows, seed=0), 6400)
  costs = np.array([sum(row[c] for row, c in zip(rows, arch)) for arch in archs])
  counts, _ = np.histogram(costs, 64, (least, most))
  # All 64 are met; costs are rounded, so that a few archs fall into the bin beside their own.
  assert np.abs(counts - 100).max() < 55


def test_of_a_bin_with_two_levels_both_are_as_likely():
  archs = drawn(sampling.Stratified([list(range(128))], seed=0), 12800)
  assert np.abs(np.bincount(archs[:, 0], minlength=128) - 100).max() < 50


def test_pure_and_serialisable():
  def first(sampler):
    return np.array([ops.convert_to_numpy(sampler(step)) for step in range(12)])

  for made in (sampling.Proportional(FIXED, ROWS, 5), sampling.Stratified(ROWS, 5)):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    np.testing.assert_array_equal(first(made), first(again))
    assert (first(made) != first(type(made).from_config({**made.get_config(), "seed": 6}))).any()


def test_what_cannot_be_drawn_is_refused():
  with pytest.raises(errors.InputError, match="must have complexity"):
    sampling.Proportional(0, [[0, 0]])
  with pytest.raises(errors.InputError, match="`sampler` must be one of .* 'best'"):
    samplers.make("best", spaces.nasbench201())
