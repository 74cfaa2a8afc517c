"""FairNAS: each step trains every choice of every decision once, and updates once.

Source: Chu et al., FairNAS (ICCV 2021), strict fairness; with MS as in "Subnet-Aware Dynamic
Supernet Training" (CVPR 2025), where all paths of a step share the choice at the split decision.
"""

from collections.abc import Callable
from collections.abc import Sequence

import keras

from tfdynnas import spaces
from tfdynnas.methods import method
from tfdynnas.optimizers import calr
from tfdynnas.sampling import uniform as uniform_lib


@keras.saving.register_keras_serializable("tfdynnas")
class FairNAS(method.Method):
  """A method of as many paths per step as the largest decision has choices.

  Example:
    supernet.compile(nas.MS(nas.CaLR(0.05)), method=nas.FairNAS())
    print(supernet.method.groups)  # Momentum groups, shared by all paths of a step: 1.
  """

  SETTINGS = ("loss_calr",)

  def __init__(
      self, space: spaces.Space | None = None, seed: int = 0,
      split_decision: int | None = None, prepare: Callable | None = None,
      allowed: Sequence[Sequence[int]] | None = None,
      momentum_groups: str = "shared", loss_calr: calr.CaLR | None = None,
  ):
    """Makes the method.

    Args:
      space: spaces.Space; None: bound by `Supernet.compile`.
      seed: int in [0, 2**32).
      split_decision: int; None draws it from the seed.
      prepare: As for methods.Method.
      allowed: Sequence per decision of the choices to train; None: as the space.
      momentum_groups: `split`: the paths of a step share their choice at the split decision, which
        is their group; `random`, `shared`: they do not.
      loss_calr: As for methods.Method.

    Raises:
      InputError: There is no such decision or choice.
    """
    super().__init__(space, seed, split_decision, prepare, allowed, momentum_groups, loss_calr)

  def bind(self, space: spaces.Space) -> None:
    """Sets the space, unless there is one, and makes the sampler."""
    if self.space is None:
      super().bind(space)
      shared = self.split_decision if self.momentum_groups == "split" else None
      self.sampler = uniform_lib.Fair(self.choices, self.seed, self.allowed, shared)
