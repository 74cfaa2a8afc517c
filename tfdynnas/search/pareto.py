"""Evolution towards a front: no arch of it is surpassed in accuracy and all costs by another.

Source: Deb et al., NSGA-II (IEEE TEC 2002): non-dominated sorting, crowding distance, binary
tournament. Differs: the survivors of a generation are the best of all that were evaluated, and the
children are the mutants and crossovers of the evolution beside it, so no arch comes twice.
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
    InputError: None, one twice, or one that the space does not have.
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
  """Which front each point is on: 0 if no other dominates it, 1 if only those of front 0 do, ...

  A point dominates another if it is nowhere less and somewhere greater; equals share a front.

  Args:
    points: Sequence of points, numbers [n, objectives].

  Returns:
    numpy int64 [n].
  """
  points = np.asarray(points, np.float64)
  found, number = np.full(len(points), -1), 0
  above = _dominating(points)
  left = above.sum(axis=0)  # How many points that have no front yet dominate each.
  while (found < 0).any():
    free = (left == 0) & (found < 0)
    found[free] = number
    left -= above[free].sum(axis=0)
    number += 1
  return found


def _dominating(points):
  """Which point dominates which: bool [n, n]; with all fronts of 10 000 points 1.1 s."""
  nowhere_less = np.ones([len(points)] * 2, bool)
  for values in points.T:
    nowhere_less &= values[:, None] >= values
  return nowhere_less & ~nowhere_less.T


def crowding(points):
  """Crowding distance of the points of one front: how far apart their neighbours are.

  The sum over the objectives of the gap between the two neighbours, as a share of the range; the
  ends of an objective are infinitely far. Of equal points the first stands for all, the others
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
    if span:  # Else the objective tells none from another.
      sums[order[[0, -1]]] = np.inf
      sums[order[1:-1]] += (ordered[2:] - ordered[:-2]) / span
  distances[first] = sums
  return distances


def select(points, count):
  """The best points: of earlier fronts first, within a front the least crowded, then the earlier.

  Args:
    points: Sequence of points, numbers [n, objectives].
    count: Int, how many at most.

  Returns:
    list of ints, their places, best first.
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
    settings: evolution.Settings; `population` archs survive, `parents` do not count.
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
    """The better of two that are drawn: survivors are in order."""
    return survivors[int(rng.integers(len(survivors), size=2).min())]

  visited = {arch for arch, _ in earlier}
  return evolution.fill(limited, settings, rng, visited, pick if survivors else None)
