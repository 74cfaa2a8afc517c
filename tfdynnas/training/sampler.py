"""Samplers: which paths a step trains, a pure function of (seed, step)."""

import keras
from keras import ops

from tfdynnas import hashing

_PATHS = 0x70617468  # First counter of this use of the hash, "path".
_SPLIT = 0x73706C74  # "splt".


@keras.saving.register_keras_serializable("tfdynnas")
class Uniform:
  """One arch a step, uniform over the space. Source: Guo et al., SPOS (ECCV 2020)."""

  def __init__(self, choices, seed=0):
    """Makes the sampler.

    Args:
      choices: Sequence of ints, the choices of each decision.
      seed: int in [0, 2**32).
    """
    self.choices, self.seed = tuple(choices), seed

  def __call__(self, step):
    """Paths of a step: the same on every replica, back end and resume.

    Args:
      step: int or int32 scalar >= 0.

    Returns:
      int32 [1, decisions].
    """
    draws = [
        hashing.integers(hashing.uniform_uint32(self.seed, _PATHS, step, place), count)
        for place, count in enumerate(self.choices)
    ]
    return ops.expand_dims(ops.stack(draws), 0)

  def get_config(self):
    """Config for `from_config`."""
    return {"choices": list(self.choices), "seed": self.seed}

  @classmethod
  def from_config(cls, config):
    """Makes the sampler of a config."""
    return cls(**config)


def split_decision(decisions, seed):
  """The decision whose choices are the momentum groups, drawn once per run from the seed.

  Args:
    decisions: int, how many there are.
    seed: int in [0, 2**32).

  Returns:
    int in [0, decisions).
  """
  bits = hashing.uniform_uint32(seed, _SPLIT)
  return int(ops.convert_to_numpy(hashing.integers(bits, decisions)))
