"""Samplers by complexity: in proportion to it, and level by level."""

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import hashing
from tfdynnas.sampling import cost_counts
from tfdynnas.spaces import allowed as allowed_lib

_TERM = 0x7465726D  # First counters of these uses of the hash, "term",
_LEVEL = 0x6C65766C  # "levl".
_UNITS = 4096  # Resolution of complexities, which are grouped into levels anyway.
_LEVELS = 64  # More complexities than that are grouped into as many bins.


@keras.saving.register_keras_serializable("tfdynnas")
class Proportional:
  """One arch a step, with a probability proportional to its complexity.

  Complexity is a sum C(a) = sum_j c_j(a_j), `fixed` among its terms. A term is drawn by its mean
  m_j over choices, then its choice by c_j / (n_j m_j), the others uniformly; of N archs arch a has
  P(a) = sum_j m_j / sum(m) * c_j(a_j) / m_j / N = C(a) / (N sum(m)).

  Source: Luo et al., NAO-V2 (2019), which draws from a pool of archs in proportion to params.
  """

  def __init__(self, fixed, rows, seed=0, allowed=None):
    """Makes the sampler.

    Args:
      fixed: Complexity that every arch has, >= 0.
      rows: Sequence per decision of the complexity of each choice, >= 0.
      seed: int in [0, 2**32).
      allowed: Sequence per decision of the choices to draw from; None draws from all.

    Raises:
      InputError: `allowed` does not fit the rows, or all archs have complexity 0.
    """
    self.fixed, self.rows, self.seed = fixed, rows, seed
    self.allowed = allowed_lib.check([len(row) for row in rows], allowed)
    costs = [np.array(row, np.float64)[list(own)] for row, own in zip(rows, self.allowed)]
    means = [row.mean() for row in costs] + [fixed]
    if sum(means) <= 0:
      raise errors.InputError(f"An arch must have complexity. Received: fixed={fixed}, {rows}")
    self._terms = hashing.thresholds(means)
    # A row of zeros is never the term; any weights do.
    self._choices = [hashing.thresholds(row if row.any() else row + 1) for row in costs]

  @classmethod
  def of_space(cls, space, seed, allowed):
    """Makes the sampler for a space."""
    cost = space.costs["complexity"]
    return cls(cost.fixed, cost.table, seed, allowed)

  def __call__(self, step):
    """Paths of a step: the same on every replica and backend, and after a resume.

    Args:
      step: int or int32 scalar >= 0.

    Returns:
      int32 [1, decisions].
    """
    term = hashing.weighted(hashing.uniform_uint32(self.seed, _TERM, step), self._terms)
    draws = []
    for place, own in enumerate(self.allowed):
      bits = hashing.uniform_uint32(self.seed, _TERM, step, place)
      index = ops.where(
          ops.equal(term, place), hashing.weighted(bits, self._choices[place]),
          hashing.integers(bits, len(own)),
      )
      draws.append(ops.take(np.array(own, np.int32), index))
    return ops.expand_dims(ops.stack(draws), 0)

  def get_config(self):
    """Config for `from_config`."""
    return {"fixed": self.fixed, **_config(self)}

  @classmethod
  def from_config(cls, config):
    """Makes the sampler from its config."""
    return cls(**config)


@keras.saving.register_keras_serializable("tfdynnas")
class Stratified:
  """One arch a step: a level of complexity drawn uniformly, then an arch of that level.

  The levels are the complexities, or 64 bins of equal width if there are more. An arch is drawn
  choice by choice from the last decision on, by the number of archs that each leaves: counted
  exactly, however large the space. Complexities closer than 1 / 4096 of their range count as one.
  """

  def __init__(self, rows, seed=0, allowed=None):
    """Makes the sampler.

    Args:
      rows: Sequence per decision of the complexity of each choice, ints.
      seed: int in [0, 2**32).
      allowed: Sequence per decision of the choices to draw from; None draws from all.

    Raises:
      InputError: `allowed` does not fit the rows.
    """
    self.rows, self.seed = rows, seed
    self.allowed = allowed_lib.check([len(row) for row in rows], allowed)
    costs = [np.array(row)[list(own)] for row, own in zip(rows, self.allowed)]
    self._counted = cost_counts.Counted([row - row.min() for row in costs], _UNITS)
    self._sums, weights = cost_counts.padded(_levels(self._counted.counts), self._counted.counts)
    self._within = hashing.thresholds(weights)

  @classmethod
  def of_space(cls, space, seed, allowed):
    """Makes the sampler for a space."""
    return cls(space.costs["complexity"].table, seed, allowed)

  def __call__(self, step):
    """Paths of a step: the same on every replica and backend, and after a resume.

    Args:
      step: int or int32 scalar >= 0.

    Returns:
      int32 [1, decisions].
    """
    level = hashing.integers(hashing.uniform_uint32(self.seed, _LEVEL, step), len(self._sums))
    place = hashing.weighted(
        hashing.uniform_uint32(self.seed, _LEVEL, step, 0), ops.take(self._within, level, axis=0)
    )
    left = ops.take(self._sums.reshape([-1]), level * self._sums.shape[1] + place)
    places = self._counted.draw(
        left, lambda number: hashing.uniform_uint32(self.seed, _LEVEL, step, 1, number)
    )
    draws = [ops.take(np.array(own, np.int32), at) for own, at in zip(self.allowed, places)]
    return ops.expand_dims(ops.stack(draws), 0)

  def get_config(self):
    """Config for `from_config`."""
    return _config(self)

  @classmethod
  def from_config(cls, config):
    """Makes the sampler from its config."""
    return cls(**config)


def _config(made):
  rows, allowed = ([list(row) for row in rows] for rows in (made.rows, made.allowed))
  return {"rows": rows, "seed": made.seed, "allowed": allowed}


def _levels(counts):
  """The sums of each level, list of int arrays."""
  sums = np.flatnonzero(counts)
  bins = np.arange(len(sums))
  if len(sums) > _LEVELS:
    bins = np.minimum(sums * _LEVELS // sums[-1], _LEVELS - 1)
  return [sums[bins == number] for number in np.unique(bins)]
