"""Taus among archs of equal cost: by hand, and against a count of all pairs."""

import itertools
import math

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas.analysis import equal_cost


def test_groups_are_equal_costs_where_many_share_them():
  cost = [7] * 5 + [9] * 6 + [11]
  group, name = equal_cost.groups(cost)
  assert name == "at equal"
  assert len(set(group[:5])) == len(set(group[5:11])) == 1 and len(set(group)) == 3


def test_groups_are_thirds_where_few_share_a_cost():
  group, name = equal_cost.groups([60, 10, 50, 20, 40, 30])
  assert name == "within thirds of" and group.tolist() == [2, 0, 2, 0, 1, 1]
  assert equal_cost.groups([7] * 4 + [1, 2, 3])[1] == "within thirds of"  # Four are few.


def test_tau_within_groups_by_hand():
  # Group 0: one pair tied in the second, two out of order. Group 1: one in order. The pairs across,
  # all out of order, do not count.
  first, second, group = [1, 2, 3, 90, 91], [5, 5, 4, -9, -8], [0, 0, 0, 1, 1]
  found = equal_cost.kendall_within(first, second, group)
  assert found == pytest.approx((1 - 2) / math.sqrt(4 * 3))


def _counted(first, second, group):
  """tau-b within groups, from all pairs one by one."""
  balance = untied = other = 0
  for a, b in itertools.combinations(range(len(first)), 2):
    if group[a] == group[b]:
      signs = np.sign(first[a] - first[b]), np.sign(second[a] - second[b])
      balance, untied, other = (balance + signs[0] * signs[1], untied + abs(signs[0]),
                                other + abs(signs[1]))
  return balance / math.sqrt(untied * other)


@pytest.mark.parametrize("seed", range(5))
def test_tau_within_groups_is_that_of_the_pairs(seed):
  first, second, group = np.random.default_rng(seed).integers(0, [[9], [7], [4]], (3, 60))
  found = equal_cost.kendall_within(first, second, group)
  assert found == pytest.approx(_counted(first, second, group), abs=1e-12)
  alone = equal_cost.kendall_within(first, second, np.zeros(60, int))
  assert alone == pytest.approx(analysis.kendall(first, second), abs=1e-12)


def test_nothing_to_tell_apart_is_no_number():
  assert math.isnan(equal_cost.kendall_within([1, 2, 3], [1, 2, 3], [0, 1, 2]))
  assert math.isnan(equal_cost.kendall_within([1, 1, 2], [1, 2, 3], [0, 0, 1]))


def test_a_score_that_only_knows_the_size_knows_nothing_within():
  """Truth: size, then quality. One score follows the size, another the quality alone."""
  size, quality = np.repeat([1, 2, 3], 6), np.tile(np.arange(6), 3)
  truth, costs = 10 * size + quality, {"params": size}
  by_size = analysis.statistics(size, truth, costs, resamples=5)
  assert by_size["tau_b"]["value"] > 0.8 and by_size["within"] == {"params": "at equal"}
  assert by_size["tau_b_within"]["params"]["value"] is None
  assert by_size["tau_b_with_costs"]["params"]["value"] == 1
  by_quality = analysis.statistics(quality, truth, costs, resamples=5)
  assert by_quality["tau_b_within"]["params"]["value"] == 1
  assert by_quality["tau_b_with_costs"]["params"]["value"] == 0
  assert by_quality["tau_b_of_mean_rank"]["params"]["value"] > by_quality["tau_b"]["value"] + 0.3
