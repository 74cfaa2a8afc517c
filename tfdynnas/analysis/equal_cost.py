"""What a ranking knows beyond size: taus among archs of equal cost, and together with the cost."""

import math

import numpy as np

from tfdynnas.analysis import rank_metrics

FEW = 5  # Archs of one cost, from which on they are compared with each other alone.


def groups(cost):
  """The archs that count as of equal cost.

  Args:
    cost: Numbers [n].

  Returns:
    (groups, name): int [n], equal for archs of equal cost, and `at equal`; if most archs have a
    cost that fewer than FEW share, their thirds from the cheapest on, and `within thirds of`.
  """
  _, own, counts = np.unique(cost, return_inverse=True, return_counts=True)
  if np.mean(counts[own] >= FEW) >= 0.5:
    return own, "at equal"
  return np.searchsorted(np.quantile(cost, [1 / 3, 2 / 3]), cost), "within thirds of"


def kendall_within(first, second, group):
  """Kendall's tau-b over the pairs of archs of the same group.

  Args:
    first, second: Numbers [n].
    group: int [n].

  Returns:
    float in [-1, 1]; NaN if no group has a pair that both tell apart.
  """
  group = np.asarray(group)
  # With the groups in order first, all pairs of two groups are in the same order: one tau-b tells
  # the balance of all pairs, a thousand times a second as the bootstrap needs.
  lists = [rank_metrics.ranks(values) + len(group) * group for values in (first, second)]
  across = _untied(group)
  untied = [_untied(values) for values in lists]
  within = math.prod(number - across for number in untied)
  if not within:
    return math.nan
  balance = rank_metrics.kendall(*lists) * math.sqrt(math.prod(untied)) - across
  return balance / math.sqrt(within)


def mean_rank(scores, cost):
  """The mean of the ranks by score and by cost, float64 [n]: a score with a prior on size."""
  return (rank_metrics.ranks(scores) + rank_metrics.ranks(cost)) / 2


def _untied(values):
  """The number of pairs of different values."""
  _, counts = np.unique(values, return_counts=True)
  return (len(values) * (len(values) - 1) - int(np.sum(counts * (counts - 1)))) / 2
