"""A search space: decisions with named choices, and costs that add up over them."""

import dataclasses
import itertools
import math
import operator
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Self

import numpy as np

from tfdynnas import errors
from tfdynnas.spaces import allowed as allowed_lib

_MOST_DIGITS = 1000  # Of an index: Python itself reads no more than 4300.
COSTS = ("complexity", "params", "macs")
# All costs that may be limited; the last two are optional.
KINDS = (*COSTS, "bytes", "latency")


@dataclasses.dataclass(frozen=True)
class Decision:
  """One place where something is chosen: an edge, a layer.

  Attributes:
    name: Name in the literature, for example `1<-0`.
    choices: Names of the choices.

  Example:
    decision = nas.spaces.Decision("1<-0", ("skip", "conv_3x3"))
  """

  name: str
  choices: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Cost:
  """An additive cost: `fixed` plus one number for each decision's choice.

  Attributes:
    fixed: Cost that every subnet has, an int, or a float whose sums are exact.
    table: One tuple per decision, one number per choice.
    live: Whether only decisions count that the output depends on, see Space.live.

  Example:
    cost = nas.spaces.Cost(fixed=100, table=((0, 36), (0, 36)))
  """

  fixed: int | float
  table: tuple[tuple[int | float, ...], ...]
  live: bool = False


@dataclasses.dataclass(frozen=True)
class Space:
  """What can be chosen and what it costs; an arch is a tuple of ints, one per decision.

  Attributes:
    name: Name of the space, [a-z0-9_]+.
    decisions: The decisions, in the order of an arch.
    costs: dict, kind -> Cost: all COSTS, and others of KINDS.
    allowed: Tuple per decision of the choices that an arch may have, ascending ints; None becomes
      all. Choices keep their numbers, so an arch means the same in a restricted space.
    made_by: dict of `space`, the name to make it by, and arguments; None if not recorded.

  Example:
    arch = space.sample(np.random.default_rng(0))
    print(space.format(arch), space.cost(arch, "params"))
    print(space.index(arch), "of", space.size)
  """

  name: str
  decisions: tuple[Decision, ...]
  costs: dict[str, Cost]
  allowed: Any = dataclasses.field(default=None, kw_only=True)
  made_by: dict | None = dataclasses.field(default=None, kw_only=True, compare=False, repr=False)

  def __post_init__(self):
    counts = [len(decision.choices) for decision in self.decisions]
    object.__setattr__(self, "allowed", allowed_lib.check(counts, self.allowed))

  def restrict(self, allowed: Sequence[Sequence[int]] | None) -> Self:
    """Restricts the space to archs of allowed choices.

    Args:
      allowed: Sequence per decision of choices; None allows all. Choices already left out stay so.

    Returns:
      Space of the same class, with the same decisions and indices.

    Raises:
      InputError: A decision has no choice left, or there is no such choice.
    """
    wanted = dataclasses.replace(self, allowed=allowed).allowed
    left = tuple(tuple(c for c in own if c in more) for own, more in zip(self.allowed, wanted))
    return dataclasses.replace(self, allowed=left)

  def whole(self) -> Self:
    """The space with all choices."""
    return dataclasses.replace(self, allowed=None)

  @property
  def size(self) -> int:
    """Number of indices, int: archs of the whole space."""
    return math.prod(len(decision.choices) for decision in self.decisions)

  @property
  def count(self) -> int:
    """Number of archs of allowed choices, int."""
    return math.prod(map(len, self.allowed))

  def archs(self) -> Iterator[tuple[int, ...]]:
    """Yields every arch, in the order of the indices."""
    return itertools.product(*self.allowed)

  def allows(self, arch: Sequence[int]) -> bool:
    """Whether each choice of an arch is allowed."""
    return all(choice in own for choice, own in zip(arch, self.allowed, strict=True))

  def validate(self, arch: Sequence[int]) -> tuple[int, ...]:
    """Checks an arch, and returns it as a tuple of ints.

    Args:
      arch: Sequence of integers, one per decision.

    Raises:
      InputError: Wrong length, or a choice that is unknown or not allowed.
    """
    try:
      arch = tuple(map(operator.index, arch))
    except TypeError as error:
      raise errors.InputError(f"`arch` must be integers. Received: {arch!r}") from error
    if len(arch) != len(self.decisions):
      raise errors.InputError(
          f"An arch of `{self.name}` has {len(self.decisions)} decisions. Received: {len(arch)} "
          f"in {arch}"
      )
    for choice, decision in zip(arch, self.decisions):
      if not 0 <= choice < len(decision.choices):
        raise errors.InputError(
            f"Decision `{decision.name}` takes a choice in [0, {len(decision.choices)}). "
            f"Received: {choice} in {arch}"
        )
    self._check_allowed(arch)
    return arch

  def _check_allowed(self, arch):
    for choice, own, decision in zip(arch, self.allowed, self.decisions):
      if choice not in own:
        raise errors.InputError(
            f"Decision `{decision.name}` of this space is left "
            f"{', '.join(decision.choices[one] for one in own)}. "
            f"Received: {decision.choices[choice]} in {arch}"
        )

  def sample(self, rng: np.random.Generator) -> tuple[int, ...]:
    """Draws an arch uniformly with a numpy Generator."""
    return tuple(own[int(rng.integers(len(own)))] for own in self.allowed)

  def mutate(
      self, arch: Sequence[int], rng: np.random.Generator, probability: float
  ) -> tuple[int, ...]:
    """Redraws each choice uniformly with the given probability (it may come out the same)."""
    fresh = self.sample(rng)
    redraw = rng.random(len(self.decisions)) < probability
    return tuple(new if change else old for old, new, change in zip(arch, fresh, redraw))

  def crossover(
      self, mother: Sequence[int], father: Sequence[int], rng: np.random.Generator
  ) -> tuple[int, ...]:
    """Takes each choice from either parent with probability 1/2."""
    pick = rng.random(len(self.decisions)) < 0.5
    return tuple(a if first else b for a, b, first in zip(mother, father, pick))

  def index(self, arch: Sequence[int]) -> int:
    """Lexicographic index of an arch: the first decision is the most significant.

    Args:
      arch: Sequence of ints, one per decision.

    Returns:
      int in [0, size).
    """
    index = 0
    for choice, decision in zip(self.validate(arch), self.decisions):
      index = index * len(decision.choices) + choice
    return index

  def arch(self, index: int) -> tuple[int, ...]:
    """The arch of a lexicographic index, of the whole space.

    Raises:
      InputError: The index is not in [0, size).
    """
    if not 0 <= int(index) < self.size:
      raise errors.InputError(
          f"An index of `{self.name}` is in [0, {self.size}). Received: {index}"
      )
    index, choices = int(index), []
    for decision in reversed(self.decisions):
      index, choice = divmod(index, len(decision.choices))
      choices.append(choice)
    return tuple(reversed(choices))

  def format(self, arch: Sequence[int]) -> str:
    """String form of an arch: choice names joined by `|`."""
    names = (d.choices[choice] for d, choice in zip(self.decisions, self.validate(arch)))
    return "|".join(names)

  def parse(self, text: str) -> tuple[int, ...]:
    """The arch of a string: the form that `format` gives, or `0,3,1,...`, or `#index`.

    Raises:
      InputError: The string names no arch of this space.
    """
    text = text.strip()
    if text.startswith("#") and text[1:].isdecimal() and len(text) <= _MOST_DIGITS:
      return self.validate(self.arch(int(text[1:])))
    parts = text.split(",")
    if all(part.strip().isdecimal() and len(part) <= _MOST_DIGITS for part in parts):
      return self.validate([int(part) for part in parts])
    return self._parse_names(text.split("|"), text)

  def _parse_names(self, names, text):
    if len(names) != len(self.decisions):
      raise errors.InputError(
          f"An arch of `{self.name}` looks like {self.format(self._first())} or "
          f"{','.join(map(str, self._first()))}. Received: {text!r}"
      )
    for name, decision in zip(names, self.decisions):
      if name not in decision.choices:
        raise errors.InputError(
            f"Decision `{decision.name}` takes one of {', '.join(decision.choices)}. "
            f"Received: {name!r} in {text!r}"
        )
    return self.validate([d.choices.index(name) for name, d in zip(names, self.decisions)])

  def _first(self):
    """The arch of least index."""
    return tuple(own[0] for own in self.allowed)

  def cost(self, arch: Sequence[int], kind: str) -> int | float:
    """Cost of the subnet of an arch.

    Args:
      arch: Sequence of ints, one per decision.
      kind: One of COSTS: `complexity` (kernels only, the paper's C), `params` (trainable weights of
        the stand-alone network), `macs` (its multiply-accumulates for one image); or `bytes` or
        `latency` (milliseconds), if the space has them.

    Returns:
      int; float for `latency`.
    """
    cost, arch = self._cost(kind), self.validate(arch)
    counted = self.live(arch) if cost.live else (True,) * len(arch)
    return cost.fixed + sum(
        row[choice] for row, choice, on in zip(cost.table, arch, counted) if on)

  def passes(self, place: int, choice: int) -> bool:
    """Whether a choice lets a signal through at a decision; here every choice does."""
    return True

  def live(self, arch: Sequence[int]) -> tuple[bool, ...]:
    """Which decisions the output depends on, tuple of bool; here all.

    Args:
      arch: Sequence of ints, one per decision.
    """
    return (True,) * len(self.validate(arch))

  def connected(self, arch: Sequence[int]) -> bool:
    """Whether a signal passes from input to output, so that the logits depend on the image.

    Args:
      arch: Sequence of ints, one per decision.
    """
    return any(self.live(arch))

  def table(self, kind: str) -> tuple[int | float, np.ndarray]:
    """Additive cost table, as if the output depended on every decision.

    Args:
      kind: One of `costs`.

    Returns:
      (fixed, table): number; int64, or float64 if costs are floats, [decisions, most choices of a
      decision], 0 where a decision has fewer choices.
    """
    cost = self._cost(kind)
    numbers = (cost.fixed, *(value for row in cost.table for value in row))
    dtype = np.float64 if any(isinstance(number, float) for number in numbers) else np.int64
    table = np.zeros((len(cost.table), max(map(len, cost.table))), dtype)
    for row, values in zip(table, cost.table):
      row[: len(values)] = values
    return cost.fixed, table

  def bounds(self, kind: str) -> tuple[int | float, int | float]:
    """(least, greatest) cost of any arch, numbers."""
    fixed, rows = self._cost(kind).fixed, self._left(kind)
    return tuple(fixed + sum(extreme(row.values()) for row in rows) for extreme in (min, max))

  def smallest(self) -> tuple[int, ...]:
    """The arch of least complexity; of several, the one of least index."""
    return tuple(min(row, key=row.get) for row in self._left("complexity"))

  def largest(self) -> tuple[int, ...]:
    """The arch of greatest complexity; of several, the one of least index."""
    return tuple(max(row, key=row.get) for row in self._left("complexity"))

  def _left(self, kind):
    """Costs of the allowed choices: a dict per decision, choice -> number."""
    table = self._cost(kind).table
    return [{choice: row[choice] for choice in own} for row, own in zip(table, self.allowed)]

  def _cost(self, kind):
    if kind not in self.costs:
      raise errors.InputError(f"A cost is one of {', '.join(self.costs)}. Received: {kind!r}")
    return self.costs[kind]
