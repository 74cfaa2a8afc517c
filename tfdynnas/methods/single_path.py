"""SinglePath (SPOS): each step trains one arch. Source: Guo et al., SPOS (ECCV 2020)."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.methods import method
from tfdynnas.sampling import samplers


@keras.saving.register_keras_serializable("tfdynnas")
class SinglePath(method.Method):
  """A method of one path per step.

  Example:
    supernet.compile(nas.MS(nas.CaLR(0.05)), method=nas.SinglePath())
    print(supernet.method.groups)  # Momentum groups, the choices of one decision.
  """

  SETTINGS = ("sampler",)

  def __init__(
      self, space: spaces.Space | None = None, seed: int = 0,
      split_decision: int | None = None, prepare: Callable | None = None,
      allowed: Sequence[Sequence[int]] | None = None,
      sampler: Any = "uniform", **kwargs,
  ):
    """Makes the method.

    Args:
      space: spaces.Space; None: bound by `Supernet.compile`.
      seed: int in [0, 2**32).
      split_decision: int; None draws it from the seed.
      prepare: As for methods.Method.
      allowed: Sequence per decision of the choices to train; None: as the space.
      sampler: One of registry.SAMPLERS, or a sampler of one arch a step, such as Budget.
      **kwargs: As for methods.Method.

    Raises:
      InputError: There is no such decision, sampler or choice, or a sampler of other choices.
    """
    self._drawn_by = sampler
    super().__init__(space, seed, split_decision, prepare, allowed, **kwargs)

  def bind(self, space: spaces.Space) -> None:
    """Sets the space, unless there is one, and makes the sampler."""
    if self.space is not None:
      return
    super().bind(space)
    named = isinstance(self._drawn_by, str)
    made = self._drawn_by
    if named:
      made = samplers.make(made, space, self.seed, self.allowed)
    if made.allowed != self.allowed:
      raise errors.InputError(
          f"`sampler` must draw from the allowed choices, {self.allowed}. Received: one that draws "
          f"from {made.allowed}"
      )
    self.sampler = made

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`."""
    given = keras.saving.serialize_keras_object(self._drawn_by)
    return {**super().get_config(), "sampler": given}

  @classmethod
  def from_config(cls, config: dict[str, Any]) -> method.Method:
    """Makes the method from its config."""
    given = keras.saving.deserialize_keras_object(config["sampler"])
    return super().from_config({**config, "sampler": given})
