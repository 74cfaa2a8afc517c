"""Samplers: which paths a step trains, a pure function of (seed, step)."""

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import hashing
from tfdynnas.spaces import allowed as allowed_lib

_PATHS = 0x70617468  # First counter of this use of the hash, "path".
_SPLIT = 0x73706C74  # "splt".
_FAIR = 0x66616972  # "fair".


@keras.saving.register_keras_serializable("tfdynnas")
class Uniform:
  """One arch a step, uniform over the space. Source: Guo et al., SPOS (ECCV 2020)."""

  def __init__(self, choices, seed=0, allowed=None):
    """Makes the sampler.

    Args:
      choices: Sequence of ints, the choices of each decision.
      seed: int in [0, 2**32).
      allowed: Sequence per decision of the choices to draw from; None draws from all.

    Raises:
      InputError: `allowed` does not fit the choices.
    """
    self.choices, self.seed = tuple(choices), seed
    self.allowed = allowed_lib.check(choices, allowed)

  @classmethod
  def of_space(cls, space, seed, allowed):
    """Makes the sampler for a space."""
    return cls([len(decision.choices) for decision in space.decisions], seed, allowed)

  def __call__(self, step):
    """Paths of a step: the same on every replica and backend, and after a resume.

    Args:
      step: int or int32 scalar >= 0.

    Returns:
      int32 [1, decisions].
    """
    counts = np.array([len(allowed) for allowed in self.allowed])
    bits = hashing.uniform_uint32(self.seed, _PATHS, step, np.arange(len(counts)))
    draws = hashing.integers(bits, counts)
    if tuple(counts) != self.choices:
      first = np.cumsum(counts) - counts
      draws = ops.take(np.array(sum(self.allowed, ()), np.int32), ops.add(draws, first))
    return ops.expand_dims(draws, 0)

  def get_config(self):
    """Config for `from_config`."""
    allowed = [list(choices) for choices in self.allowed]
    return {"choices": list(self.choices), "seed": self.seed, "allowed": allowed}

  @classmethod
  def from_config(cls, config):
    """Makes the sampler from its config."""
    return cls(**config)


@keras.saving.register_keras_serializable("tfdynnas")
class Fair:
  """As many archs a step as the largest decision has choices, each of its choices in one of them.

  Each decision orders its choices at random, apart from the others. One with fewer choices has each
  as often as fits, and the rest are drawn without repetition: fair over many steps.

  Source: Chu et al., FairNAS (ICCV 2021), strict fairness.
  """

  def __init__(self, choices, seed=0, allowed=None, shared=None):
    """Makes the sampler.

    Args:
      choices: Sequence of ints, the choices of each decision.
      seed: int in [0, 2**32).
      allowed: Sequence per decision of the choices to draw from; None draws from all.
      shared: int, a decision at which all archs of a step have one choice, drawn uniformly.

    Raises:
      InputError: `allowed` does not fit the choices.
    """
    self.choices, self.seed = tuple(choices), seed
    self.allowed = allowed_lib.check(choices, allowed)
    self.shared = shared
    sizes = [len(own) for place, own in enumerate(self.allowed) if place != shared]
    self.paths = max(sizes, default=1)

  def __call__(self, step):
    """Paths of a step: the same on every replica and backend, and after a resume.

    Args:
      step: int or int32 scalar >= 0.

    Returns:
      int32 [paths, decisions].
    """
    return ops.stack([self._drawn(step, place) for place in range(len(self.choices))], axis=1)

  def _drawn(self, step, place):
    """Choices of a decision, int32 [paths]."""
    own = np.array(self.allowed[place], np.int32)
    if place == self.shared:
      bits = hashing.uniform_uint32(self.seed, _FAIR, step, place)
      return ops.broadcast_to(ops.take(own, hashing.integers(bits, len(own))), (self.paths,))
    order = ops.take(own, self._order(step, place, 0, len(own)))
    if len(own) == self.paths:
      return order
    rounds = ops.take(order, np.arange(self.paths, dtype=np.int32) % len(own))
    return ops.take(rounds, self._order(step, place, 1, self.paths))

  def _order(self, step, place, use, count):
    """A random permutation, int32 [count]."""
    turns = np.arange(count, dtype=np.int32)
    bits = hashing.uniform_uint32(self.seed, _FAIR, step, place, use, turns)
    return ops.argsort(bits)

  def get_config(self):
    """Config for `from_config`."""
    allowed = [list(choices) for choices in self.allowed]
    return {"choices": list(self.choices), "seed": self.seed, "allowed": allowed,
            "shared": self.shared}

  @classmethod
  def from_config(cls, config):
    """Makes the sampler from its config."""
    return cls(**config)


def splittable(space, allowed=None):
  """The decisions whose choices may be the momentum groups, ascending list of ints.

  Args:
    space: spaces.Space.
    allowed: Sequence per decision of the choices that are trained; None: all.

  Returns:
    The decisions whose choices in the space are all trained; of these the ones with two or more, if
    there are any.

  Raises:
    InputError: There is no such decision, so the momentum cannot be split.
  """
  allowed = space.restrict(allowed).allowed
  free = [place for place, own in enumerate(space.allowed) if allowed[place] == own]
  if not free:
    sizes = list(map(len, allowed))
    raise errors.InputError(f"`allowed` must leave a decision whole. Received: {sizes} choices")
  return [place for place in free if len(allowed[place]) > 1] or free


def split_decision(decisions, seed):
  """The decision whose choices are the momentum groups, drawn once per run from the seed.

  Args:
    decisions: Sequence of ints, the decisions to draw from, or int: that many from 0 on.
    seed: int in [0, 2**32).

  Returns:
    int, one of them.
  """
  decisions = range(decisions) if isinstance(decisions, int) else decisions
  bits = hashing.uniform_uint32(seed, _SPLIT)
  return decisions[int(ops.convert_to_numpy(hashing.integers(bits, len(decisions))))]
