"""Evolutionary search as a pure function: what to evaluate next follows from what was evaluated.

Source: Guo et al., Single Path One-Shot (ECCV 2020), with the settings of its published searcher.
Differs: an ended search says so when every arch was visited, and where mutants and crossovers run
out of tries the rest is random, as there.
"""

import dataclasses

import numpy as np

from tfdynnas import errors


@dataclasses.dataclass(frozen=True)
class Settings:
  """Settings of the evolution; with `mutants=0, crossovers=0` it is random search without repeats.

  Attributes:
    population: Archs of a generation, >= 1.
    generations: Generations after the first, which is random, >= 0.
    parents: How many of the best archs of all earlier generations have children, >= 1.
    mutants: Children of one parent in a generation, >= 0.
    crossovers: Children of two parents in a generation, >= 0.
    mutation_probability: Probability that a mutant's choice is redrawn, in [0, 1].
    tries: At most so many tries for each mutant or crossover that is wanted, >= 1.
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
  """The arch to evaluate after those that were evaluated.

  Args:
    limited: LimitedSpace.
    settings: Settings.
    seed: Int >= 0; 0 is a seed as any other.
    evaluated: Sequence of (arch, fitness) in the order in which the archs were proposed. A fitness
      is a tuple that is greater for a better arch, or None for an arch that has none.

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
  """A generation of mutants and crossovers of parents, and random archs in the places left.

  Args:
    limited: LimitedSpace.
    settings: Settings.
    rng: numpy Generator.
    visited: Set of archs to leave out; what is proposed is added.
    pick: Callable that draws a parent, or None: there is none.

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
  """The archs of greatest fitness, best first; of equals the earlier one comes first.

  Args:
    evaluated: Sequence of (arch, fitness or None).
    count: Int, how many at most.

  Returns:
    list of archs.
  """
  scored = [item for item in evaluated if item[1] is not None]
  return [arch for arch, _ in sorted(scored, key=lambda item: item[1], reverse=True)[:count]]


def _breed(breed, wanted, tries, limited, visited):
  """Up to `wanted` children within the limits that were not visited; they are visited then."""
  children = []
  for _ in range(tries):
    child = breed()
    if child not in visited and limited.meets(child):
      visited.add(child)
      children.append(child)
    if len(children) == wanted:
      break
  return children
