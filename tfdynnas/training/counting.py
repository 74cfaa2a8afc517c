"""How many archs have each sum of costs, counted however large the space, and draws among them."""

import numpy as np
from keras import ops

from tfdynnas import hashing

_UNITS = 4096  # Sums are told apart up to this part of their range.


class Counted:
  """The archs of each sum of costs, in units of the costs' greatest common divisor.

  Where that gives more than 4096 sums the unit is so much larger, and costs are rounded to it.

  Attributes:
    counts: float64 [sums], how many archs have each sum, in units.
    unit: Cost of a unit, > 0.
    rows: List per decision of int32 [choices], the cost of each choice in units.
  """

  def __init__(self, rows):
    """Counts.

    Args:
      rows: List per decision of int arrays [choices], the cost of each choice, the least of each 0.
    """
    divisor = np.gcd.reduce(np.concatenate(rows))
    self.unit = max(divisor, 1, sum(int(row.max()) for row in rows) / _UNITS)
    self.rows = [np.rint(row / self.unit).astype(np.int32) for row in rows]
    counts = [np.zeros(sum(int(row.max()) for row in self.rows) + 1)]
    counts[0][0] = 1
    for row in self.rows:
      counts.append(_ways(counts[-1], row).sum(axis=1))
    self.counts = counts[-1]
    ways = [_ways(before, row) for before, row in zip(counts, self.rows)]
    # At a sum that no arch has any weights do: it is never asked for.
    self._choices = [hashing.thresholds(w + ~w.any(axis=1, keepdims=True)) for w in ways]

  def draw(self, left, bits):
    """Draws archs of given sums, each arch as likely: from the last decision on.

    Args:
      left: int32 [...], sums that archs have, in units.
      bits: Callable, number of a decision -> random uint32 [...].

    Returns:
      List per decision of int32 [...], places in its row.
    """
    drawn = []
    for number in reversed(range(len(self.rows))):
      index = hashing.weighted(bits(number), ops.take(self._choices[number], left, axis=0))
      left = left - ops.take(self.rows[number], index)
      drawn.append(index)
    return drawn[::-1]


def padded(groups, counts):
  """Sums side by side, with what each is drawn by.

  Args:
    groups: List of int arrays, the sums of each group, at least one.
    counts: float64 [sums], of `Counted`.

  Returns:
    (sums, weights): int32 and float64 [groups, most sums of a group], 0 where a group has fewer.
  """
  sums = np.zeros([len(groups), max(map(len, groups))], np.int32)
  weights = np.zeros(sums.shape)
  for row, weight, own in zip(sums, weights, groups):
    row[: len(own)], weight[: len(own)] = own, counts[own]
  return sums, weights


def _ways(before, row):
  """Ways to each sum that take each choice last, float64 [sums, choices]."""
  ways = np.zeros([len(before), len(row)])
  for choice, units in enumerate(row):
    ways[units:, choice] = before[: len(before) - units]
  return ways
