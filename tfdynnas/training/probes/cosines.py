"""Cosines between gradients and momenta: whether subnets pull the shared weights the same way."""

import numpy as np


def cosines(ones, others):
  """Cosine of every vector of one sequence with every vector of another.

  Args:
    ones: Sequence of n vectors, each a list of float arrays, one per weight.
    others: Sequence of m vectors of the same shapes.

  Returns:
    float64 [n, m]; NaN where one of the two vectors is zero.
  """
  dots = np.zeros((len(ones), len(others)))
  left, right = np.zeros(len(ones)), np.zeros(len(others))
  for parts, other_parts in zip(zip(*ones), zip(*others)):  # Weight by weight, to save memory.
    rows, columns = _flat(parts), _flat(other_parts)
    dots += rows @ columns.T
    left += np.einsum("ij,ij->i", rows, rows)
    right += np.einsum("ij,ij->i", columns, columns)
  lengths = np.sqrt(np.outer(left, right))
  return np.divide(dots, lengths, out=np.full(dots.shape, np.nan), where=lengths > 0)


def _flat(parts):
  return np.stack([np.ravel(part) for part in parts])


def of_pairs(gradients, groups):
  """Mean cosines of pairs of gradients within a group, and across groups.

  Args:
    gradients: Sequence of n vectors, each a list of float arrays, one per weight.
    groups: Sequence of n ints, the group of each.

  Returns:
    dict of floats, NaN where there is no pair: `within`, `across`.
  """
  found, groups = cosines(gradients, gradients), np.asarray(groups)
  same, pair = groups[:, None] == groups, np.triu(np.ones(found.shape, bool), 1)
  return {"within": mean(found[pair & same]), "across": mean(found[pair & ~same])}


def with_momentum(gradients, groups, rows):
  """Mean cosines of gradients with the momentum of their own group, and with that of others.

  Args:
    gradients: Sequence of n vectors, each a list of float arrays, one per weight.
    groups: Sequence of n ints, the group of each.
    rows: Sequence of vectors, the momentum of each group; a single one is shared by all groups.

  Returns:
    dict of floats, NaN where there is nothing to compare: `own` with the momentum of the
    gradient's group, `other` with that of the other groups, `mean` with the mean of all.
  """
  found = cosines(gradients, rows)
  own = np.arange(len(rows)) == (np.asarray(groups)[:, None] if len(rows) > 1 else 0)
  own = np.broadcast_to(own, found.shape)
  middle = [np.mean(parts, axis=0) for parts in zip(*rows)]
  return {
      "own": mean(found[own]), "other": mean(found[~own]),
      "mean": mean(cosines(gradients, [middle])),
  }


def mean(values):
  """Mean of the finite values, a float; NaN if there are none."""
  values = np.asarray(values, np.float64)
  values = values[np.isfinite(values)]
  return float(values.mean()) if values.size else float("nan")
