"""A search space: decisions with named choices, and costs that add up over them."""

import dataclasses
import math
import operator

import numpy as np

from tfdynnas import errors

_MOST_DIGITS = 1000  # Of an index: Python itself reads no more than 4300.
COSTS = ("complexity", "params", "macs")
# All that a limit may be on; the last two only a space that was given them has.
KINDS = (*COSTS, "bytes", "latency")


@dataclasses.dataclass(frozen=True)
class Decision:
  """One place where something is chosen: an edge, a layer.

  Attributes:
    name: What the literature calls the place, for example `1<-0`.
    choices: Names of what can be chosen there.
  """

  name: str
  choices: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Cost:
  """An additive cost: `fixed` plus one number for each decision's choice.

  Attributes:
    fixed: What every subnet has, an int, or a float whose sums are exact.
    table: One tuple per decision, one number per choice.
  """

  fixed: int | float
  table: tuple[tuple[int | float, ...], ...]


@dataclasses.dataclass(frozen=True)
class Space:
  """What can be chosen and what it costs; an arch is a tuple of ints, one per decision.

  Attributes:
    name: Name of the space, [a-z0-9_]+.
    decisions: The decisions, in the order of an arch.
    costs: Cost of each kind in COSTS, and of further KINDS.
  """

  name: str
  decisions: tuple[Decision, ...]
  costs: dict[str, Cost]

  @property
  def size(self):
    """int, how many archs there are."""
    return math.prod(len(decision.choices) for decision in self.decisions)

  def validate(self, arch):
    """Returns `arch` as a tuple of ints, or says what is wrong with it.

    Args:
      arch: Sequence of integers, one per decision.

    Raises:
      InputError: Wrong length, or a choice that is not there.
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
    return arch

  def sample(self, rng):
    """Draws an arch uniformly with a numpy Generator."""
    return tuple(int(rng.integers(len(decision.choices))) for decision in self.decisions)

  def mutate(self, arch, rng, probability):
    """Redraws each choice uniformly with the given probability (it may come out the same)."""
    fresh = self.sample(rng)
    redraw = rng.random(len(self.decisions)) < probability
    return tuple(new if change else old for old, new, change in zip(arch, fresh, redraw))

  def crossover(self, mother, father, rng):
    """Takes each choice from either parent with probability 1/2."""
    pick = rng.random(len(self.decisions)) < 0.5
    return tuple(a if first else b for a, b, first in zip(mother, father, pick))

  def index(self, arch):
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

  def arch(self, index):
    """The arch of a lexicographic index.

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

  def format(self, arch):
    """String form of an arch: choice names joined by `|`."""
    names = (d.choices[choice] for d, choice in zip(self.decisions, self.validate(arch)))
    return "|".join(names)

  def parse(self, text):
    """The arch of a string: the form that `format` gives, or `0,3,1,...`, or `#index`.

    Raises:
      InputError: The string names no arch of this space.
    """
    text = text.strip()
    if text.startswith("#") and text[1:].isdecimal() and len(text) <= _MOST_DIGITS:
      return self.arch(int(text[1:]))
    parts = text.split(",")
    if all(part.strip().isdecimal() and len(part) <= _MOST_DIGITS for part in parts):
      return self.validate([int(part) for part in parts])
    return self._parse_names(text.split("|"), text)

  def _parse_names(self, names, text):
    if len(names) != len(self.decisions):
      raise errors.InputError(
          f"An arch of `{self.name}` looks like {self.format((0,) * len(self.decisions))} or "
          f"{','.join('0' * len(self.decisions))}. Received: {text!r}"
      )
    for name, decision in zip(names, self.decisions):
      if name not in decision.choices:
        raise errors.InputError(
            f"Decision `{decision.name}` takes one of {', '.join(decision.choices)}. "
            f"Received: {name!r} in {text!r}"
        )
    return tuple(d.choices.index(name) for name, d in zip(names, self.decisions))

  def cost(self, arch, kind):
    """Cost of the subnet of an arch.

    Args:
      arch: Sequence of ints, one per decision.
      kind: One of COSTS: `complexity` (kernels only, the paper's C), `params` (trainable weights of
        the stand-alone network), `macs` (its multiply-accumulates for one image); or `bytes`,
        `latency` (milliseconds) of a space that was given them.

    Returns:
      int; float for `latency`.
    """
    cost = self._cost(kind)
    return cost.fixed + sum(row[choice] for row, choice in zip(cost.table, self.validate(arch)))

  def passes(self, place, choice):
    """Whether a choice lets a signal through at the decision of that number; here each does."""
    return True

  def live(self, arch):
    """Which decisions the output depends on, tuple of bool; here all.

    Args:
      arch: Sequence of ints, one per decision.
    """
    return (True,) * len(self.validate(arch))

  def table(self, kind):
    """Additive cost table.

    Args:
      kind: One of `costs`.

    Returns:
      (fixed, table): number; int64, or float64 of costs that are floats, [decisions, most choices
      of a decision], 0 where a decision has fewer choices.
    """
    cost = self._cost(kind)
    numbers = (cost.fixed, *(value for row in cost.table for value in row))
    dtype = np.float64 if any(isinstance(number, float) for number in numbers) else np.int64
    table = np.zeros((len(cost.table), max(map(len, cost.table))), dtype)
    for row, values in zip(table, cost.table):
      row[: len(values)] = values
    return cost.fixed, table

  def bounds(self, kind):
    """(least, greatest) cost of any arch, numbers."""
    cost = self._cost(kind)
    return tuple(cost.fixed + sum(extreme(row) for row in cost.table) for extreme in (min, max))

  def smallest(self):
    """The arch of least complexity (of several, the one of least index)."""
    return tuple(int(np.argmin(row)) for row in self._cost("complexity").table)

  def largest(self):
    """The arch of greatest complexity (of several, the one of least index)."""
    return tuple(int(np.argmax(row)) for row in self._cost("complexity").table)

  def _cost(self, kind):
    if kind not in self.costs:
      raise errors.InputError(f"A cost is one of {', '.join(self.costs)}. Received: {kind!r}")
    return self.costs[kind]
