"""SinglePath (SPOS): each step trains one arch. Source: Guo et al., SPOS (ECCV 2020)."""

import keras

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
      sampler: One of samplers.SAMPLERS.
      **kwargs: As for training.Method.

    Raises:
      InputError: There is no such decision, sampler or choice.
    """
    super().__init__(space, seed, split_decision, prepare, allowed, **kwargs)
    self._name = sampler
    self.sampler = samplers.make(sampler, space, seed, allowed)

  def get_config(self):
    """Config for `from_config`."""
    return {**super().get_config(), "sampler": self._name}
