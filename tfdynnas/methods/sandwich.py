"""Sandwich: each step trains the largest arch, the smallest and some drawn ones.

Source: Yu and Huang, Universally Slimmable Networks (ICCV 2019), sandwich rule and in-place
distillation: the largest learns from the labels, the others from its logits.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.methods import method
from tfdynnas.optimizers import calr
from tfdynnas.sampling import samplers


@keras.saving.register_keras_serializable("tfdynnas")
class Sandwich(method.Method):
  """A method of the largest arch, the smallest that lets a signal through, and drawn ones.

  Example:
    supernet.compile(nas.MS(nas.CaLR(0.05)), method=nas.Sandwich(random_paths=1))
    print(supernet.method.groups)  # Momentum groups, shared by all paths of a step: 1.
  """

  SETTINGS = ("sampler", "random_paths", "loss_calr")
  distils = True

  def __init__(
      self, space: spaces.Space | None = None, seed: int = 0,
      split_decision: int | None = None, prepare: Callable | None = None,
      allowed: Sequence[Sequence[int]] | None = None,
      sampler: str = "uniform", random_paths: int = 2, momentum_groups: str = "shared",
      loss_calr: calr.CaLR | None = None,
  ):
    """Makes the method.

    Args:
      space: spaces.Space; None: bound by `Supernet.compile`.
      seed: int in [0, 2**32).
      split_decision: int; None draws it from the seed.
      prepare: As for methods.Method.
      allowed: Sequence per decision of the choices to train; None: as the space.
      sampler: One of registry.SAMPLERS, for the drawn archs.
      random_paths: int >= 1, drawn archs of a step.
      momentum_groups: `random` or `shared`: one update serves archs of several groups.
      loss_calr: As for methods.Method.

    Raises:
      InputError: There is no such decision, sampler or choice, or the momentum would be split.
    """
    if momentum_groups == "split":
      raise errors.InputError(
          "`momentum_groups` of the sandwich must be random or shared. Received: 'split'"
      )
    if random_paths < 1:
      raise errors.InputError(f"`random_paths` must be >= 1. Received: {random_paths}")
    self._name, self._random_paths = sampler, random_paths
    super().__init__(space, seed, split_decision, prepare, allowed, momentum_groups, loss_calr)

  def bind(self, space: spaces.Space) -> None:
    """Sets the space, unless there is one, and makes the sampler."""
    if self.space is None:
      super().bind(space)
      self._drawn = samplers.make(self._name, space, self.seed, self.allowed)
      self._ends = _extreme(space, self.allowed, max), _extreme(space, self.allowed, min)
      self.sampler = self._sample

  def _sample(self, step):
    """The largest, smallest and drawn archs, int32 [2 + random_paths, decisions]."""
    count = self._random_paths
    drawn = [self._drawn(step * count + number) for number in range(count)]
    return ops.concatenate([ops.convert_to_tensor(self._ends, dtype="int32"), *drawn], axis=0)

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`."""
    own = {"sampler": self._name, "random_paths": self._random_paths}
    return {**super().get_config(), **own}


def _extreme(space, allowed, pick):
  """The arch of the least or greatest complexity whose every decision lets a signal through."""
  rows = space.costs["complexity"].table
  arch = []
  for place, (row, choices) in enumerate(zip(rows, allowed)):
    passing = [choice for choice in choices if space.passes(place, choice)] or choices
    arch.append(pick(passing, key=lambda choice, row=row: row[choice]))
  return tuple(arch)
