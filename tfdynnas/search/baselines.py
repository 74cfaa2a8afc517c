"""What the arch that a search found is measured against: archs that no search looked for."""

import numpy as np

from tfdynnas import errors
from tfdynnas import spaces

_STREAM = 1  # Of the seed: no other use shares its numbers.


def choose(limited, found, count, seed):
  """Random archs no dearer than the one that was found, and the largest within the limits.

  Args:
    limited: spaces.LimitedSpace that was searched.
    found: Tuple of ints, the arch that was found.
    count: int >= 0, random archs.
    seed: int in [0, 2**32). The archs of a smaller count are the first of a greater.

  Returns:
    (randoms, largest): list of archs, none of which is `found` or `largest`, and each of which
    costs at most what `found` does, in params, macs and what else the space knows; fewer than
    `count` if there are no more. An arch, which may be `found`.

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
