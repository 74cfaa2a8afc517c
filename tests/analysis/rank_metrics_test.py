"""Rank correlations and the worth of the best k: by hand, by definition, and by enumeration."""

import itertools
import math

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas.analysis import rank_metrics

NAN = float("nan")
BOTH = [analysis.kendall, analysis.spearman]


@pytest.mark.parametrize("first, second, tau", [
    ([1, 2, 2, 3, 5], [1, 3, 2, 2, 4], 0.666667),  # 7 concordant, 1 discordant, 1 tie on each side.
    ([0.1, 0.2, 0.2, 0.2], [1, 2, 3, 4], 0.707107),  # 3 / sqrt(3 * 6).
    ([1, 2, 3, 4], [1, 2, 4, 3], 2 / 3), ([1, 2], [5, 9], 1.0),
    ([1, 1, 2, 2], [1, 1, 2, 2], 1.0), ([1, 2, 1, 2], [1, 1, 2, 2], 0.0),
])
def test_tau_by_hand(first, second, tau):
  assert analysis.kendall(first, second) == pytest.approx(tau, abs=1e-6)
  assert analysis.kendall(second, first) == pytest.approx(tau, abs=1e-6)


def test_rho_by_hand():
  assert analysis.spearman([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(1 - 6 * 2 / (4 * 15))
  # Ranks 0, 1.5, 1.5, 3 and 0, 1, 2, 3: 4.5 / sqrt(4.5 * 5).
  assert analysis.spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(math.sqrt(0.9))


@pytest.mark.parametrize("measure", BOTH)
@pytest.mark.parametrize("size", [2, 3, 64, 65, 1000])
def test_perfect_and_reversed(measure, size):
  order = np.random.default_rng(size).permutation(size)
  assert measure(order, np.exp(order / size)) == pytest.approx(1)
  assert measure(order, -3.0 * order) == pytest.approx(-1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("measure", BOTH)
def test_constants_and_nan_rank_nothing(measure):
  for other in ([1, 2, 3], [7, 7, 7]):
    assert math.isnan(measure([1, 1, 1], other)) and math.isnan(measure(other, [1, 1, 1]))
  assert math.isnan(measure([1, NAN, 3], [1, 2, 3])) and math.isnan(measure([1, 2], [NAN, NAN]))


@pytest.mark.parametrize("first, second", [([1], [2]), ([1, 2], [1, 2, 3]), ([[1, 2]], [[1, 2]])])
def test_what_are_no_two_rankings_is_refused(first, second):
  for measure in (*BOTH, lambda a, b: rank_metrics.precision_at(a, b, 1)):
    with pytest.raises(errors.InputError, match="two lists of n >= 2 numbers. Received: shapes"):
      measure(first, second)


def test_ranks_count_from_zero_and_are_shared():
  assert rank_metrics.ranks([30, 10, 30, 20]).tolist() == [2.5, 0, 2.5, 1]


def test_precision_and_regret_by_hand():
  scores, truth = [4, 3, 2, 1], [10, 40, 30, 20]
  assert [rank_metrics.precision_at(scores, truth, k) for k in (1, 2, 3, 4)] == [0, 0.5, 2 / 3, 1]
  assert [rank_metrics.regret_at(scores, truth, k) for k in (1, 2, 3, 4)] == [30, 0, 0, 0]
  flat = [5, 5, 5, 5]  # Any k of them are as likely.
  assert rank_metrics.precision_at(flat, truth, 1) == 0.25
  assert rank_metrics.regret_at(flat, truth, 1) == 40 - 25
  assert rank_metrics.regret_at(flat, truth, 2) == pytest.approx(40 - 200 / 6)  # 3x40, 2x30, 20.
  assert rank_metrics.regret_at([5, 1, 1], [2, 3, 1], 2) == 0.5  # 2 for sure, and 3 or 1.


def test_ties_are_broken_by_chance():
  rng = np.random.default_rng(0)
  for _ in range(20):
    scores, truth = rng.integers(0, 3, 6), rng.permutation(6)
    k = int(rng.integers(1, 6))
    orders = [order for order in itertools.permutations(range(6))
              if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))]
    best = [order[:k] for order in orders]
    precision = np.mean([np.mean(truth[list(taken)] >= 6 - k) for taken in best])
    regret = np.mean([5 - max(truth[list(taken)]) for taken in best])
    assert rank_metrics.precision_at(scores, truth, k) == pytest.approx(precision)
    assert rank_metrics.regret_at(scores, truth, k) == pytest.approx(regret)


@pytest.mark.parametrize("k", [0, 3])
def test_more_than_there_are_is_refused(k):
  with pytest.raises(errors.InputError, match=rf"in \[1, 2\]. Received: {k}"):
    rank_metrics.regret_at([1, 2], [1, 2], k)
