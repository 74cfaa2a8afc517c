"""Evolutionary search as a pure function: the evaluated archs determine the next one.

Source: Guo et al., Single Path One-Shot (ECCV 2020), with the settings of its published searcher,
which also fills up with random archs when mutants and crossovers run out of tries. Differs: the
search ends when every arch was visited.
"""

import dataclasses

import numpy as np

from tfdynnas import errors


@dataclasses.dataclass(frozen=True)
class Settings:
  """Settings of the evolution; with `mutants=0, crossovers=0` it is random search without repeats.

  Attributes:
    population: Archs of a generation, >= 1.
    generations: Generations after the first, random one, >= 0.
    parents: How many of the best archs of all earlier generations have children, >= 1.
    mutants: Children of one parent in a generation, >= 0.
    crossovers: Children of two parents in a generation, >= 0.
    mutation_probability: Probability that a mutant's choice is redrawn, in [0, 1].
    tries: Most tries for each wanted mutant or crossover, >= 1.
  """

  population: int = 50
  generations: int = 20
  parents: int = 10
  mutants: int = 25
  crossovers: int = 25
  mutation_probability: float = 0.1
  tries: int = 10

  def __post_init__(self):
    least = {"population": 1, "generations": 0, "parents": 1, "mutants": 0, "crossovers": 0,
             "tries": 1}
    for name, bound in least.items():
      if getattr(self, name) < bound:
        raise errors.InputError(f"`{name}` must be >= {bound}. Received: {getattr(self, name)}")
    if self.mutants + self.crossovers > self.population:
      raise errors.InputError(
          f"`mutants` + `crossovers` must be <= `population`. Received: {self.mutants} + "
          f"{self.crossovers} > {self.population}"
      )
    if not 0 <= self.mutation_probability <= 1:
      raise errors.InputError(
          f"`mutation_probability` must be in [0, 1]. Received: {self.mutation_probability}"
      )

  @property
  def evaluations(self):
    """Archs that the whole search evaluates: 1 050 with the published settings."""
    return self.population * (self.generations + 1)


def next_arch(limited, settings, seed, evaluated):
  """The next arch to evaluate.

  Args:
    limited: LimitedSpace.
    settings: Settings.
    seed: Int >= 0; 0 is a seed like any other.
    evaluated: Sequence of (arch, fitness) in the order in which the archs were proposed. A fitness
      is a tuple, greater for a better arch, or None if the arch has none.

  Returns:
    tuple of ints, or None if every arch within the limits was visited.
  """
  generation, place = divmod(len(evaluated), settings.population)
  earlier = evaluated[: generation * settings.population]
  proposed = propose(limited, settings, seed, generation, earlier)
  return proposed[place] if place < len(proposed) else None


def propose(limited, settings, seed, generation, earlier):
  """The archs of a generation: none was visited before, all are within the limits.

  Args:
    limited: LimitedSpace.
    settings: Settings.
    seed: Int >= 0.
    generation: Int >= 0.
    earlier: Sequence of (arch, fitness or None), all earlier generations in order.

  Returns:
    tuple of archs: `population` of them, fewer only if all others were visited.
  """
  rng = np.random.default_rng([seed, generation])
  parents = best(earlier, settings.parents)
  pick = (lambda: parents[int(rng.integers(len(parents)))]) if parents else None
  return fill(limited, settings, rng, {arch for arch, _ in earlier}, pick)


def fill(limited, settings, rng, visited, pick):
  """A generation of mutants and crossovers of parents, filled up with random archs.

  Args:
    limited: LimitedSpace.
    settings: Settings.
    rng: numpy Generator.
    visited: Set of archs to leave out; proposed archs are added.
    pick: Callable that draws a parent, or None if there are no parents.

  Returns:
    tuple of archs: `population` of them, fewer only if all others were visited.
  """
  proposed = []
  if pick:
    space, probability = limited.space, settings.mutation_probability
    for wanted, breed in (
        (settings.mutants, lambda: space.mutate(pick(), rng, probability)),
        (settings.crossovers, lambda: space.crossover(pick(), pick(), rng)),
    ):
      proposed += _breed(breed, wanted, settings.tries * wanted, limited, visited)
  while len(proposed) < settings.population:
    arch = limited.sample(rng, visited)
    if arch is None:
      break
    visited.add(arch)
    proposed.append(arch)
  return tuple(proposed)


def best(evaluated, count):
  """The archs of greatest fitness, best first; among equals, the earlier one first.

  Args:
    evaluated: Sequence of (arch, fitness or None).
    count: Int, the most archs to return.

  Returns:
    list of archs.
  """
  scored = [item for item in evaluated if item[1] is not None]
  return [arch for arch, _ in sorted(scored, key=lambda item: item[1], reverse=True)[:count]]


def _breed(breed, wanted, tries, limited, visited):
  """Up to `wanted` new children within the limits, which are added to `visited`."""
  children = []
  for _ in range(tries):
    child = breed()
    if child not in visited and limited.meets(child):
      visited.add(child)
      children.append(child)
    if len(children) == wanted:
      break
  return children
