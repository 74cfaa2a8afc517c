"""The samplers by name: who draws the path of a step, or the random ones of several."""

from tfdynnas import errors
from tfdynnas.sampling import by_complexity
from tfdynnas.sampling import uniform

SAMPLERS = ("uniform", "proportional", "stratified")


def make(name, space, seed=0, allowed=None):
  """Makes a sampler of one arch a step.

  Args:
    name: One of SAMPLERS.
    space: spaces.Space.
    seed: int in [0, 2**32).
    allowed: Sequence per decision of the choices to draw from; None: those of the space.

  Returns:
    Callable, step -> int32 [1, decisions].

  Raises:
    InputError: No such sampler or choice.
  """
  cost, allowed = space.costs["complexity"], space.restrict(allowed).allowed
  if name == "uniform":
    return uniform.Uniform([len(row) for row in cost.table], seed, allowed)
  if name == "proportional":
    return by_complexity.Proportional(cost.fixed, cost.table, seed, allowed)
  if name == "stratified":
    return by_complexity.Stratified(cost.table, seed, allowed)
  raise errors.InputError(f"`sampler` must be one of {SAMPLERS}. Received: {name!r}")
