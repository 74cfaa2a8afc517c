"""The samplers by name: who draws the path of a step, or the random ones of several."""

from tfdynnas import errors
from tfdynnas.training import by_complexity
from tfdynnas.training import sampler

SAMPLERS = ("uniform", "proportional", "stratified")


def make(name, space, seed=0, allowed=None):
  """Makes a sampler of one arch a step.

  Args:
    name: One of SAMPLERS.
    space: spaces.Space.
    seed: int in [0, 2**32).
    allowed: Sequence per decision of the choices to draw from; None draws from all.

  Returns:
    Callable, step -> int32 [1, decisions].

  Raises:
    InputError: No such sampler or choice.
  """
  cost = space.costs["complexity"]
  if name == "uniform":
    return sampler.Uniform([len(row) for row in cost.table], seed, allowed)
  if name == "proportional":
    return by_complexity.Proportional(cost.fixed, cost.table, seed, allowed)
  if name == "stratified":
    return by_complexity.Stratified(cost.table, seed, allowed)
  raise errors.InputError(f"`sampler` must be one of {SAMPLERS}. Received: {name!r}")
