"""A sampler of archs whose cost lies within given ranges."""

import math

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import hashing
from tfdynnas.sampling import cost_counts
from tfdynnas.spaces import allowed as allowed_lib

_BUDGET = 0x62756467  # First counter of this use of the hash, "budg".
# Most units of the range of sums. At the published sizes of the MobileNet space they tell all
# 107 156 sums of multiply-accumulates and 121 220 of complexity apart, in 10 MB.
_UNITS = 2**17
_TRIES = 64
_TRIALS, _SHARE = 4096, 1 / 4  # Of so many draws this share must be within; 64 then miss at 1e-8.


@keras.saving.register_keras_serializable("tfdynnas")
class Budget:
  """One arch a step: a range of costs drawn uniformly, then an arch of that range.

  The usual way draws uniformly until an arch fits, endlessly if the range is rare. This sampler
  draws as Stratified does, by counts of the archs of each sum. That is exact for costs with at most
  131 073 sums, such as multiply-accumulates of MobileNets of the published sizes. Others are
  rounded: the sums to draw from are those that an arch of the range may have, and the first of 64
  draws within the range counts, so that each of its archs is still as likely. A range so narrow
  that fewer than a quarter of the draws are within is refused.

  Source: ranges and draws of the published single path MobileNet supernets: 300 to 310, 310 to 320
  and 320 to 330 million multiply-accumulates, at most 500 draws, and then any arch.
  """

  SETTINGS = ("budget",)  # Settings of a config that `of_space` takes.

  def __init__(self, fixed, rows, ranges, seed=0, allowed=None):
    """Makes the sampler.

    Args:
      fixed: int, the cost that every arch has.
      rows: Sequence per decision of the cost of each choice, ints.
      ranges: Sequence of (least, greatest) cost, both included, to draw archs from.
      seed: int in [0, 2**32).
      allowed: Sequence per decision of the choices to draw from; None draws from all.

    Raises:
      InputError: `allowed` does not fit the rows, or a range holds no arch, or is too narrow.
    """
    self.fixed, self.rows, self.seed = fixed, rows, seed
    self.ranges = [list(bounds) for bounds in ranges]
    self.allowed = allowed_lib.check([len(row) for row in rows], allowed)
    _check_numbers(rows, self.ranges)
    costs = [np.array(row, np.int64)[list(own)] for row, own in zip(rows, self.allowed)]
    least = fixed + sum(int(row.min()) for row in costs)
    self._divisor, self._above = _above_least(costs)
    self._counted = cost_counts.Counted(self._above, _UNITS)
    self._bounds = _in_steps(self.ranges, least, self._divisor, self._above)
    groups = [self._sums_within(*bounds) for bounds in self._bounds.tolist()]
    if not groups or not all(map(len, groups)):
      most = fixed + sum(int(row.max()) for row in costs)
      raise errors.InputError(
          f"Each range must hold an arch; costs are {least} to {most}. Received: {self.ranges}"
      )
    self._sums, weights = cost_counts.padded(groups, self._counted.counts)
    self._within = hashing.thresholds(weights)
    self._exact = self._counted.unit == 1
    if not self._exact:
      self._check_width()

  @classmethod
  def of_space(cls, space, seed, allowed, budget=None):
    """Makes the sampler of a space.

    Args:
      space: spaces.Space.
      seed: int in [0, 2**32).
      allowed: As for the class.
      budget: str, a cost and its ranges, such as `macs:300e6-310e6,310e6-320e6`.

    Raises:
      InputError: There is no budget, or as for the class.
    """
    if not budget:
      raise errors.InputError("`sampler` budget needs ranges: give a Budget. Received: none")
    kind, _, text = budget.partition(":")
    ranges = [[float(end) for end in pair.split("-")] for pair in text.split(",")]
    cost = space.costs[kind]
    return cls(cost.fixed, cost.table, ranges, seed, allowed)

  def _check_width(self):
    """Refuses ranges that draws of rounded costs miss too often."""
    for number, bounds in enumerate(self.ranges):
      miss, _ = self._tried(number, 0, np.arange(_TRIALS, dtype=np.int32))
      share = float(np.mean(ops.convert_to_numpy(miss) == 0))
      if share < _SHARE:
        raise errors.InputError(
            f"Each range must be wider: costs of so many sums are rounded to "
            f"{self._counted.unit * self._divisor:.0f} each. Received: {bounds}, which {share:.1%} "
            "of what is drawn for it have"
        )

  def _sums_within(self, low, high):
    """Sums in units that an arch of the range may have, int array."""
    unit, rows = self._counted.unit, zip(self._above, self._counted.rows)
    lost = [row - unit * rounded for row, rounded in rows]
    sums = np.flatnonzero(self._counted.counts)
    least = sums * unit + sum(row.min() for row in lost)
    most = sums * unit + sum(row.max() for row in lost)
    # With leeway, since the unit is not a whole number.
    return sums[(most >= low - 0.5) & (least <= high + 0.5)] if low <= high else sums[:0]

  def __call__(self, step):
    """Paths of a step: the same on every replica and backend, and after a resume.

    Args:
      step: int or int32 scalar >= 0.

    Returns:
      int32 [1, decisions].
    """
    number = hashing.integers(hashing.uniform_uint32(self.seed, _BUDGET, step), len(self._sums))
    tries = np.arange(1 if self._exact else _TRIES, dtype=np.int32)
    miss, places = self._tried(number, step, tries)
    first = ops.argmin(miss)
    draws = [ops.take(np.array(own, np.int32), at) for own, at in zip(self.allowed, places)]
    return ops.expand_dims(ops.take(ops.stack(draws, axis=1), first, axis=0), 0)

  def _tried(self, number, step, tries):
    """Draws for a range: distances from it, int32 [tries]; places, int32 [tries] per decision."""
    place = hashing.weighted(
        hashing.uniform_uint32(self.seed, _BUDGET, step, 0, tries),
        ops.take(self._within, number, axis=0),
    )
    left = ops.take(self._sums.reshape([-1]), number * self._sums.shape[1] + place)
    places = self._counted.draw(
        left, lambda decision: hashing.uniform_uint32(self.seed, _BUDGET, step, 1, decision, tries)
    )
    cost = sum(ops.take(row, at) for row, at in zip(self._above, places))
    low, high = ops.unstack(ops.take(self._bounds, number, axis=0))
    return ops.maximum(ops.maximum(low - cost, cost - high), 0), places

  def get_config(self):
    """Config for `from_config`."""
    rows, allowed = ([list(row) for row in rows] for rows in (self.rows, self.allowed))
    return {"fixed": self.fixed, "rows": rows, "ranges": self.ranges, "seed": self.seed,
            "allowed": allowed}

  @classmethod
  def from_config(cls, config):
    """Makes the sampler from its config."""
    return cls(**config)


def _check_numbers(rows, ranges):
  """Refuses costs that are not whole, and ends of ranges that are not numbers."""
  costs = [cost for row in rows for cost in row]
  if any(cost != int(cost) for cost in costs) or any(map(math.isnan, sum(ranges, []))):
    raise errors.InputError(
        f"Costs must be whole, and ranges of numbers. Received: {costs[:9]}, {ranges}"
    )


def _above_least(costs):
  """(divisor, rows): the differences' common divisor; costs above the least, in it, int32."""
  above = [row - row.min() for row in costs]
  divisor = max(int(np.gcd.reduce(np.concatenate(above))), 1)
  greatest = sum(int(row.max()) for row in above) // divisor
  if greatest >= 2**31:
    raise errors.InputError(f"Costs must have sums below 2**31 apart. Received: {greatest}")
  return divisor, [(row // divisor).astype(np.int32) for row in above]


def _in_steps(ranges, least, divisor, above):
  """Ranges of what an arch costs above the least, int32 [ranges, 2]."""
  greatest = sum(int(row.max()) for row in above)
  return np.array([
      (math.ceil(min(max((low - least) / divisor, 0), greatest + 1)),
       math.floor(max(min((high - least) / divisor, greatest), -1))) for low, high in ranges
  ], np.int64).reshape(-1, 2).astype(np.int32)
