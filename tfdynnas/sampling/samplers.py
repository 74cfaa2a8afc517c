"""Samplers by name."""

from tfdynnas import registry


def make(name, space, seed=0, allowed=None, **settings):
  """Makes a sampler of one arch a step.

  Args:
    name: One of registry.SAMPLERS.
    space: spaces.Space.
    seed: int in [0, 2**32).
    allowed: Sequence per decision of the choices to draw from; None: those of the space.
    **settings: Further settings of that sampler.

  Returns:
    Callable, step -> int32 [1, decisions].

  Raises:
    InputError: No such sampler or choice.
  """
  kind = registry.find(registry.SAMPLERS, name, "sampler")
  return kind.of_space(space, seed, space.restrict(allowed).allowed, **settings)
