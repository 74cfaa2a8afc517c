"""Counts of the archs of each sum of costs, however large the space, and draws among them."""

import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import hashing

_POWERS = 2.0 ** -np.arange(127, dtype=np.float32)


class Counted:
  """The archs of each sum of costs, in units of the costs' greatest common divisor.

  If that gives more sums than `units`, the unit is larger, and costs are rounded to it.

  Attributes:
    counts: float64 [sums], how many archs have each sum, in units.
    unit: Cost of a unit, > 0.
    rows: List per decision of int32 [choices], the cost of each choice in units.
  """

  def __init__(self, rows, units):
    """Counts the archs.

    Args:
      rows: List per decision of int arrays [choices], the cost of each choice, the least of each 0.
      units: int, most units that the range of sums is divided into.

    Raises:
      InputError: There are more archs than a float64 can count, about 10**308.
    """
    divisor = np.gcd.reduce(np.concatenate(rows))
    self.unit = max(divisor, 1, sum(int(row.max()) for row in rows) / units)
    self.rows = [np.rint(row / self.unit).astype(np.int32) for row in rows]
    counts = [np.ones(1)]
    with np.errstate(over="ignore"):  # Reported below.
      for row in self.rows:
        counts.append(_longer(counts[-1], row))
    self.counts = counts.pop()
    if not np.isfinite(self.counts.sum()):
      raise errors.InputError(f"There must be below 1e308 archs. Received: {len(rows)} decisions")
    # As mantissa and exponent: float32 alone ends at 1e38.
    self._before = [
        (part.astype(np.float32), power.astype(np.int32)) for part, power in map(np.frexp, counts)
    ]

  def draw(self, left, bits):
    """Draws archs of given sums, each arch as likely, from the last decision on.

    The weight of a choice is the number of archs of the decisions before it with the remaining sum.
    Its probability is off by about 2**-24.

    Args:
      left: int32 [...], sums that archs have, in units.
      bits: Callable, number of a decision -> random uint32 [...].

    Returns:
      List per decision of int32 [...], places in its row.
    """
    drawn = []
    for number in reversed(range(len(self.rows))):
      (mantissa, power), row = self._before[number], self.rows[number]
      rests = ops.subtract(ops.expand_dims(left, -1), row)  # PyTorch's operator takes no NumPy.
      there = (rests >= 0) & (rests < len(mantissa))
      places = ops.where(there, rests, 0)
      powers = ops.where(there, ops.take(power, places), 0)
      below = ops.minimum(ops.max(powers, axis=-1, keepdims=True) - powers, len(_POWERS) - 1)
      ways = ops.where(there, ops.take(mantissa, places), 0.0) * ops.take(_POWERS, below)
      index = hashing.proportional(bits(number), ways)
      left = left - ops.take(row, index)
      drawn.append(index)
    return drawn[::-1]


def padded(groups, counts):
  """Groups of sums as equally long rows, with the weight of each sum.

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
  """Counts of the archs of one more decision, float64 [sums]."""
  counts = np.zeros(len(before) + int(row.max()))
  for units in row:
    counts[units:units + len(before)] += before
  return counts
