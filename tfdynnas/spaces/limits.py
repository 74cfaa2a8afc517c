"""Limits on the cost of a subnet, met exactly: costs add up over the decisions."""

import dataclasses
import math
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from tfdynnas import errors
from tfdynnas.spaces import space as space_lib

_LEVELS = 256  # Levels of cost up to a limit; see LimitedSpace.largest.


@dataclasses.dataclass(frozen=True)
class Limits:
  """Greatest costs of a subnet; None is no limit.

  Attributes:
    max_params: Trainable weights.
    max_macs: Multiply-accumulates for one image.
    max_bytes: Bytes of the weights; see costs.with_bytes.
    max_latency: Milliseconds; see costs.with_latency.

  Example:
    limits = nas.spaces.Limits(max_params=10_000)
  """

  max_params: int | None = None
  max_macs: int | None = None
  max_bytes: int | None = None
  max_latency: float | None = None


def as_mapping(limits: Limits | Mapping[str, float | None] | None) -> dict[str, float]:
  """Limits as a dict of kind to greatest cost, in the order of KINDS.

  Args:
    limits: Limits, or a mapping of kind to greatest cost (None is no limit), or None.

  Raises:
    InputError: A kind that is not in KINDS, or a limit that is not a number >= 0.

  Example:
    print(nas.spaces.as_mapping(nas.spaces.Limits(max_macs=10**6)))  # {"macs": 1000000}
  """
  if isinstance(limits, Limits):
    limits = {"params": limits.max_params, "macs": limits.max_macs, "bytes": limits.max_bytes,
              "latency": limits.max_latency}
  limits = {kind: most for kind, most in dict(limits or {}).items() if most is not None}
  for kind, most in limits.items():
    if kind not in space_lib.KINDS:
      raise errors.InputError(f"A limit is on {', '.join(space_lib.KINDS)}. Received: {kind!r}")
    if isinstance(most, bool) or not isinstance(most, (int, float, np.number)) or not most >= 0:
      raise errors.InputError(f"A limit must be a number >= 0. Received: {kind} <= {most!r}")
  return {kind: _plain(limits[kind]) for kind in space_lib.KINDS if kind in limits}


def meets(
    space: space_lib.Space, arch: Sequence[int], limits: Limits | Mapping[str, float | None] | None
) -> bool:
  """Whether an arch meets the limits.

  Args:
    space: Space.
    arch: Sequence of ints, one per decision.
    limits: Limits, or a mapping of kind to greatest cost, or None.

  Example:
    print(nas.spaces.meets(space, space.smallest(), {"params": 10_000}))
  """
  return _meets(space, arch, as_mapping(limits))


def _meets(space, arch, limits):
  return all(space.cost(arch, kind) <= most for kind, most in limits.items())


class LimitedSpace:
  """Archs of a space that meet limits and, if asked, let a signal through; at least one exists.

  The least costs of the remaining decisions are known exactly, as a Pareto front: no choice leads
  beyond the limits, and no search is endless. For this all decisions count; of archs that differ in
  decisions that the output does not depend on, `archs` may leave out those with the dearer ones.

  Attributes:
    space: Space.
    limits: dict of kind to greatest cost.
    connected: bool, whether archs through which no signal passes are left out.

  Example:
    limited = nas.spaces.LimitedSpace(space, {"params": 10_000})
    arch = limited.sample(np.random.default_rng(0))
    print(space.cost(arch, "params"))
  """

  def __init__(
      self, space: space_lib.Space, limits: Limits | Mapping[str, float | None] | None = None,
      connected: bool = False,
  ):
    """Decides whether the limits can be met.

    Args:
      space: Space.
      limits: Limits, or a mapping of kind to greatest cost, or None.
      connected: Whether to leave out archs through which no signal passes.

    Raises:
      InputError: No arch meets the limits (the message names the nearest cost that can be met), the
        space has no such cost, or no signal passes through any arch within the limits.
    """
    self.space, self.connected = space, connected
    self.limits = as_mapping(limits)
    self._greatest = np.array(list(self.limits.values()), np.float64)
    self._fixed, self._rows = _read_costs(space, self.limits)
    self._fronts = _least_to_come(self._rows)
    self._through = _passing(space) if connected else None
    if not self._can_end(0, self._fixed):
      self._refuse()
    if connected and next(self.archs(), None) is None:
      raise errors.InputError(
          f"A search of `{space.name}` needs an arch through which a signal passes from input to "
          f"output, or `unconnected`. Received: none within {self.limits or 'the space'}"
      )

  def meets(self, arch: Sequence[int]) -> bool:
    """Whether an arch meets the limits and, if required, lets a signal through."""
    return _meets(self.space, arch, self.limits) and self._can_connect(tuple(arch))

  def archs(self, rng: np.random.Generator | None = None) -> Iterator[tuple[int, ...]]:
    """Yields every arch within the limits once.

    Args:
      rng: numpy Generator that orders the choices of each decision; None is lexicographic order.
    """
    yield from self._walk((), self._fixed, rng)

  def sample(
      self, rng: np.random.Generator, visited: Collection[tuple[int, ...]] = frozenset(),
      tries: int = 100,
  ) -> tuple[int, ...] | None:
    """Draws an arch within the limits that has not been visited.

    The draw is uniform if one of `tries` draws meets the limits. Otherwise the decisions are made
    in turn, each uniformly among the choices that lead to an arch within the limits; at most
    len(visited) + 1 archs are looked at.

    Args:
      rng: numpy Generator.
      visited: Set of archs to leave out.
      tries: Uniform draws to try first, >= 0.

    Returns:
      tuple of ints, or None if all archs within the limits were visited.
    """
    for _ in range(tries):
      arch = self.space.sample(rng)
      if arch not in visited and self.meets(arch):
        return arch
    return next((arch for arch in self.archs(rng) if arch not in visited), None)

  def largest(self, rng: np.random.Generator) -> tuple[int, ...]:
    """The arch within the limits that has the most params.

    The decisions are made in turn, for all sums of costs at once. Each limit has _LEVELS levels; of
    partial archs that let a signal through alike and whose costs have the same levels, the one with
    the most params is kept. So the result is exact where costs are coarser than a level.

    Args:
      rng: numpy Generator that breaks ties.

    Returns:
      tuple of ints.
    """
    passing = [[int(self.connected and self.space.passes(place, choice)) << place for choice in own]
               for place, own in enumerate(self.space.allowed)]
    fixed, sizes = _read_costs(self.space, ["params"])
    rows = [np.column_stack(columns) for columns in zip(passing, sizes, self._rows)]
    archs, sums = np.zeros((1, 0), np.int64), np.array([[0, *fixed, *self._fixed]])
    for place, (own, row) in enumerate(zip(self.space.allowed, rows)):
      archs, sums = _longer(archs, sums, own, row)
      can_end = self._can_end(place + 1, sums[:, 2:])
      archs, sums = archs[can_end], sums[can_end]
      kept = _largest_of_each(sums, self._greatest, rng)
      archs, sums = archs[kept], sums[kept]
    order = np.lexsort([rng.random(len(sums)), -sums[:, 1]])
    return next(filter(self.meets, (tuple(map(int, arch)) for arch in archs[order])))

  def _can_end(self, decision, spent):
    """Whether the decisions from `decision` on can stay within the limits after costs `spent`.

    Args:
      decision: int.
      spent: float64 [..., kinds].

    Returns:
      bool [...].
    """
    sums = spent[..., None, :] + self._fronts[decision]
    return (sums <= self._greatest).all(axis=-1).any(axis=-1)

  def _can_connect(self, chosen):
    """Whether the remaining decisions can let a signal through, if one is required."""
    return self._through is None or self.space.connected(chosen + self._through[len(chosen):])

  def _walk(self, chosen, spent, rng):
    if len(chosen) == len(self._rows):
      yield chosen
      return
    row = self._rows[len(chosen)]
    own = self.space.allowed[len(chosen)]
    order = range(len(row)) if rng is None else rng.permutation(len(row))
    for place in order:
      longer = (*chosen, own[place])
      if self._can_end(len(longer), spent + row[place]) and self._can_connect(longer):
        yield from self._walk(longer, spent + row[place], rng)

  def _refuse(self):
    """Refuses the first limit that cannot be met with those before it, and names the least cost."""
    kinds = list(self.limits)
    for number, kind in enumerate(kinds, 1):
      rows = [row[:, :number] for row in self._rows]
      costs = self._fixed[:number] + _least_to_come(rows)[0]
      costs = costs[(costs[:, :-1] <= self._greatest[: number - 1]).all(axis=1)]
      least = _readable(costs[:, -1].min())
      if least > self.limits[kind]:
        before = [f"{kind} <= {self.limits[kind]}" for kind in kinds[: number - 1]]
        wanted = " and ".join([*before, f"{kind} <= {self.limits[kind]}"])
        given = f"With {' and '.join(before)} the least {kind}" if before else "The least"
        raise errors.InputError(f"No arch of `{self.space.name}` has {wanted}. {given} is {least}.")


def _longer(archs, sums, choices, row):
  """Extends every partial arch by every choice of one more decision, and the sums by its costs."""
  count = len(archs)
  added = np.tile(choices, count)[:, None]
  archs = np.concatenate([archs.repeat(len(choices), axis=0), added], axis=1)
  return archs, sums.repeat(len(choices), axis=0) + np.tile(row, (count, 1))


def _largest_of_each(sums, greatest, rng):
  """Places of the most params among sums that pass alike and have equal levels, int [groups].

  Args:
    sums: float64 [n, 2 + kinds]: which decisions pass, as bits; params; costs.
    greatest: float64 [kinds], the limits.
    rng: numpy Generator that breaks ties.
  """
  levels = np.floor(sums[:, 2:] * (_LEVELS / np.where(greatest > 0, greatest, 1)))
  groups = np.column_stack([sums[:, 0], levels])
  order = np.lexsort([rng.random(len(sums)), -sums[:, 1], *groups.T])
  groups = groups[order]
  first = np.concatenate([[True], (groups[1:] != groups[:-1]).any(axis=1)])
  return order[first]


def _passing(space):
  """An arch whose choices let a signal through wherever one does."""
  return tuple(
      next((choice for choice in own if space.passes(place, choice)), own[0])
      for place, own in enumerate(space.allowed)
  )


def _plain(number):
  """A number as an int if it is whole, else as a float."""
  return int(number) if number == number // 1 else float(number)


def _readable(least):
  """A cost rounded up to six decimals, so that it can still be met."""
  return _plain(math.ceil(least * 10**6) / 10**6) if least % 1 else int(least)


def _read_costs(space, kinds):
  """(fixed, rows): float64 [kinds], and float64 [allowed choices, kinds] for each decision.

  Their sums are exact: of ints below 2**53, and of floats that are multiples of one power of two.
  """
  costs = [space.table(kind) for kind in kinds]
  fixed = np.array([fixed for fixed, _ in costs], np.float64)
  rows = []
  for number, own in enumerate(space.allowed):
    columns = [table[number, list(own)] for _, table in costs]
    shape = (len(own), len(costs))
    rows.append(np.stack(columns, axis=1).astype(np.float64) if costs else np.zeros(shape))
  return fixed, rows


def _least_to_come(rows):
  """Pareto front of the costs from each decision on, and of no decision at the end."""
  fronts = [np.zeros((1, rows[0].shape[1]))]
  for row in reversed(rows):
    sums = [fronts[-1] + choice for choice in _pareto_front(row)]
    fronts.append(_pareto_front(np.concatenate(sums)))
  return fronts[::-1]


def _pareto_front(costs):
  """The rows of float64 [n, kinds] that no other row undercuts in every kind."""
  if costs.shape[1] == 0:
    return costs[:1]
  costs = np.unique(costs, axis=0)
  if costs.shape[1] == 1:
    return costs[:1]
  if costs.shape[1] == 2:  # Sorted by the first: keep each new least of the second.
    least = np.minimum.accumulate(costs[:, 1])
    return costs[np.concatenate([[True], costs[1:, 1] < least[:-1]])]
  front = costs[:1]
  for cost in costs[1:]:
    if not (front <= cost).all(axis=1).any():
      front = np.concatenate([front, cost[None]])
  return front
