"""How alike two rankings are: Kendall's tau-b, Spearman's rho, precision and regret of the best k.

Higher scores and truths are better. Undefined numbers are NaN: a constant has no ranking.
"""

import numpy as np
from scipy import stats

from tfdynnas import errors


def kendall(first, second):
  """Kendall's tau-b, which allows for ties.

  Args:
    first: Numbers [n], n >= 2.
    second: Numbers [n].

  Returns:
    float in [-1, 1]; NaN if one of them is constant or holds a NaN.

  Raises:
    InputError: Not two equally long lists of numbers.
  """
  return _statistic(stats.kendalltau, first, second)


def spearman(first, second):
  """Spearman's rho: the correlation of ranks, of which equal numbers share the mean.

  Args:
    first: Numbers [n], n >= 2.
    second: Numbers [n].

  Returns:
    float in [-1, 1]; NaN if one of them is constant or holds a NaN.

  Raises:
    InputError: Not two equally long lists of numbers.
  """
  return _statistic(stats.spearmanr, first, second)


def ranks(values):
  """Ranks from 0, the least, to n - 1, as float64 [n]; equal numbers share the mean."""
  return stats.rankdata(values) - 1


def precision_at(scores, truth, k):
  """Share of the k best by score that are among the k best in truth.

  Ties for the last places are broken at random: the number is the mean over all ways.

  Args:
    scores: Numbers [n].
    truth: Numbers [n].
    k: int in [1, n].

  Returns:
    float in [0, 1].
  """
  scores, truth = _pair(scores, truth)
  return float(np.sum(_chance_to_be_among(scores, k) * _chance_to_be_among(truth, k)) / k)


def regret_at(scores, truth, k):
  """How far the best in truth lies above the best of the k that score best.

  Ties for the last places are broken at random: the number is the mean over all ways.

  Args:
    scores: Numbers [n].
    truth: Numbers [n].
    k: int in [1, n].

  Returns:
    float >= 0, in the unit of `truth`.
  """
  scores, truth = _pair(scores, truth)
  chance = _chance_to_be_among(scores, k)
  sure = np.max(truth[chance == 1], initial=-np.inf)
  open_ = np.sort(truth[(chance > 0) & (chance < 1)])[::-1]
  places, best, none_yet = k - int(np.sum(chance == 1)), 0.0, 1.0
  for number, value in enumerate(open_):  # From the best down: the first one taken decides.
    taken = places / (len(open_) - number)
    best += none_yet * min(taken, 1) * max(value, sure)
    none_yet *= max(1 - taken, 0)
  return float(np.max(truth) - (best + (none_yet * sure if none_yet else 0)))


def _statistic(measure, first, second):
  """A SciPy measure as a float; NaN, without SciPy's warning, where a list is constant."""
  first, second = _pair(first, second)
  if np.ptp(first) > 0 and np.ptp(second) > 0:  # False with a NaN, too.
    return float(measure(first, second).statistic)
  return float("nan")


def _pair(first, second):
  """Both as float64 [n]."""
  first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
  if first.ndim != 1 or first.shape != second.shape or len(first) < 2:
    raise errors.InputError(
        "Rankings are two lists of n >= 2 numbers. Received: shapes "
        f"{list(first.shape)} and {list(second.shape)}"
    )
  return first, second


def _chance_to_be_among(values, k):
  """float64 [n], chance of being among the k greatest if ties are broken at random."""
  if not 1 <= k <= len(values):
    raise errors.InputError(f"`k` must be in [1, {len(values)}]. Received: {k}")
  least = np.sort(values)[-k]
  above, tied = values > least, values == least
  return above + tied * (k - np.sum(above)) / np.sum(tied)
