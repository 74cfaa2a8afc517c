"""How many archs have each sum of costs, counted however large the space, and draws among them."""

import numpy as np
from keras import ops

from tfdynnas import hashing

# Sums are told apart up to this part of their range: at the published sizes of the MobileNet space
# all 107 156 of multiply-accumulates and 121 220 of complexity are. 5 MB there.
_UNITS = 2**17


class Counted:
  """The archs of each sum of costs, in units of the costs' greatest common divisor.

  Where that gives more than 131 072 sums the unit is so much larger, and costs are rounded to it.

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
    counts = [np.ones(1)]
    for row in self.rows:
      counts.append(_longer(counts[-1], row))
    self.counts = counts.pop()
    self._before = [(count / count.max()).astype(np.float32) for count in counts]

  def draw(self, left, bits):
    """Draws archs of given sums, each arch as likely: from the last decision on.

    A choice weighs as many archs as the decisions before it have at the sum that it leaves, in
    float32: its probability is off by some 2**-22 of itself.

    Args:
      left: int32 [...], sums that archs have, in units.
      bits: Callable, number of a decision -> random uint32 [...].

    Returns:
      List per decision of int32 [...], places in its row.
    """
    drawn = []
    for number in reversed(range(len(self.rows))):
      before, row = self._before[number], self.rows[number]
      rests = ops.expand_dims(left, -1) - row
      ways = ops.take(before, ops.clip(rests, 0, len(before) - 1))
      ways = ops.where((rests >= 0) & (rests < len(before)), ways, 0.0)
      index = hashing.proportional(bits(number), ways)
      left = left - ops.take(row, index)
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


def _longer(before, row):
  """Counts of the archs of one decision more, float64 [sums]."""
  counts = np.zeros(len(before) + int(row.max()))
  for units in row:
    counts[units:units + len(before)] += before
  return counts
