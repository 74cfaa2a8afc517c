"""Baselines for the arch that a search found: archs that need no search."""

import numpy as np

from tfdynnas import errors
from tfdynnas import spaces

_STREAM = 1  # A stream of the seed that nothing else draws from.


def choose(limited, found, count, seed):
  """Random archs that cost no more than the found one, and the largest arch within the limits.

  Args:
    limited: spaces.LimitedSpace that was searched.
    found: Tuple of ints, the arch that was found.
    count: int >= 0, random archs.
    seed: int in [0, 2**32). A smaller count gives the first archs of a greater one.

  Returns:
    (randoms, largest): list of archs, other than `found` and `largest`, that cost at most as much
    as `found` in params, macs and every other cost of the space except complexity, fewer than
    `count` if there are no more; an arch, which may be `found`.

  Raises:
    InputError: `count` or `seed` is out of range.
  """
  if count < 0 or not 0 <= seed < 2**32:
    raise errors.InputError(
        f"`count` must be >= 0 and `seed` in [0, 2**32). Received: {count=}, {seed=}"
    )
  rng, space = np.random.Generator(np.random.Philox(key=[seed, _STREAM])), limited.space
  largest = limited.largest(rng)
  costs = {kind: space.cost(found, kind) for kind in space.costs if kind != "complexity"}
  cheaper, randoms = spaces.LimitedSpace(space, costs, limited.connected), []
  while len(randoms) < count:
    arch = cheaper.sample(rng, {found, largest, *randoms})
    if arch is None:
      break
    randoms.append(arch)
  return randoms, largest
