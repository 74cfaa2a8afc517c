"""Evolution towards the Pareto front: the archs that no other dominates in accuracy and costs.

Source: Deb et al., NSGA-II (IEEE TEC 2002): non-dominated sorting, crowding distance, binary
tournament. Differs: the survivors of a generation are the best of all evaluated archs, and the
children are the mutants and crossovers of evolution.py, so no arch is proposed twice.
"""

import numpy as np

from tfdynnas import errors
from tfdynnas.search import evolution


def check_costs(space, costs):
  """The kinds of cost of a front as a tuple.

  Args:
    space: Space.
    costs: Sequence of str.

  Raises:
    InputError: It is empty, or has a kind twice or one that the space does not have.
  """
  costs = tuple(costs)
  if not costs or len(set(costs)) < len(costs) or not set(costs) <= set(space.costs):
    raise errors.InputError(
        f"`costs` must be some of {', '.join(space.costs)}, each once. Received: {costs}"
    )
  return costs


def point(space, arch, accuracy, costs):
  """An arch as a point: its accuracy, then its costs, negative; greater is better in each.

  Args:
    space: Space.
    arch: Sequence of ints, one per decision.
    accuracy: float.
    costs: Kinds of cost.

  Returns:
    tuple of numbers.
  """
  return float(accuracy), *(-space.cost(arch, kind) for kind in costs)


def fronts(points):
  """The front of each point: 0 if no other dominates it, 1 if only points of front 0 do, ...

  A point dominates another if it is nowhere less and somewhere greater; equals share a front.

  Args:
    points: Sequence of points, numbers [n, objectives].

  Returns:
    numpy int64 [n].
  """
  points = np.asarray(points, np.float64)
  found, number = np.full(len(points), -1), 0
  above = _dominating(points)
  left = above.sum(axis=0)  # How many points without a front dominate each.
  while (found < 0).any():
    free = (left == 0) & (found < 0)
    found[free] = number
    left -= above[free].sum(axis=0)
    number += 1
  return found


def _dominating(points):
  """Which point dominates which: bool [n, n]; `fronts` of 10 000 points takes 1.1 s."""
  nowhere_less = np.ones([len(points)] * 2, bool)
  for values in points.T:
    nowhere_less &= values[:, None] >= values
  return nowhere_less & ~nowhere_less.T


def crowding(points):
  """Crowding distance of the points of one front: how far apart their neighbours are.

  The sum over the objectives of the gap between the two neighbours, as a share of the range; the
  ends of an objective are infinitely far. The first of equal points stands for all, the others
  have 0. Points that tie in one objective are ordered by the objectives before it, then after.

  Args:
    points: Sequence of points, numbers [n, objectives].

  Returns:
    numpy float64 [n].
  """
  points = np.asarray(points, np.float64)
  distances = np.zeros(len(points))
  if not len(points):
    return distances
  unique, first = np.unique(points, axis=0, return_index=True)  # In lexicographic order.
  sums = np.zeros(len(unique)) if len(unique) > 1 else np.array([np.inf])
  for values in unique.T:
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    span = ordered[-1] - ordered[0]
    if span:  # Else the points are equal in this objective.
      sums[order[[0, -1]]] = np.inf
      sums[order[1:-1]] += (ordered[2:] - ordered[:-2]) / span
  distances[first] = sums
  return distances


def select(points, count):
  """The best points: by front, then the least crowded, then the earlier.

  Args:
    points: Sequence of points, numbers [n, objectives].
    count: Int, the most points to return.

  Returns:
    list of ints, the indices of the points, best first.
  """
  ranks, order = fronts(points), []
  for number in range(max(ranks, default=-1) + 1):
    places = np.flatnonzero(ranks == number)
    distances = crowding([points[place] for place in places])
    order += places[np.argsort(-distances, kind="stable")].tolist()
    if len(order) >= count:
      break
  return order[:count]


def propose(limited, settings, seed, generation, earlier):
  """The archs of a generation: none was visited before, all are within the limits.

  Args:
    limited: LimitedSpace.
    settings: evolution.Settings; `population` archs survive, `parents` are ignored.
    seed: Int >= 0.
    generation: Int >= 0.
    earlier: Sequence of (arch, point or None), all earlier generations in order.

  Returns:
    tuple of archs: `population` of them, fewer only if all others were visited.
  """
  rng = np.random.default_rng([seed, generation])
  scored = [item for item in earlier if item[1] is not None]
  survivors = [scored[place][0] for place in
               select([found for _, found in scored], settings.population)]

  def pick():
    """The better of two random survivors, which are in order."""
    return survivors[int(rng.integers(len(survivors), size=2).min())]

  visited = {arch for arch, _ in earlier}
  return evolution.fill(limited, settings, rng, visited, pick if survivors else None)
