"""SinglePath (SPOS): each step trains one arch. Source: Guo et al., SPOS (ECCV 2020)."""

import keras

from tfdynnas import errors
from tfdynnas.training import method
from tfdynnas.training import samplers


@keras.saving.register_keras_serializable("tfdynnas")
class SinglePath(method.Method):
  """The method of one path per step."""

  def __init__(
      self, space, seed=0, split_decision=None, prepare=None, allowed=None, sampler="uniform",
      **kwargs,
  ):
    """Makes the method.

    Args:
      space: spaces.Space.
      seed: int in [0, 2**32).
      split_decision: int; None draws it from the seed.
      prepare: As for training.Method, as is allowed.
      allowed: Sequence per decision of the choices to train; None trains all.
      sampler: One of samplers.SAMPLERS, or a sampler of one arch a step, such as Budget.
      **kwargs: As for training.Method.

    Raises:
      InputError: There is no such decision, sampler or choice, or a sampler of other choices.
    """
    super().__init__(space, seed, split_decision, prepare, allowed, **kwargs)
    self._given = sampler
    made = samplers.make(sampler, space, seed, allowed) if isinstance(sampler, str) else sampler
    if made.allowed != self.allowed:
      raise errors.InputError(
          f"`sampler` must draw from the allowed choices, {self.allowed}. Received: one that draws "
          f"from {made.allowed}"
      )
    self.sampler = made

  def get_config(self):
    """Config for `from_config`."""
    given = keras.saving.serialize_keras_object(self._given)
    return {**super().get_config(), "sampler": given}

  @classmethod
  def from_config(cls, config):
    """Makes the method of a config."""
    given = keras.saving.deserialize_keras_object(config["sampler"])
    return super().from_config({**config, "sampler": given})
