"""Which archs a search is measured against, in NAS-Bench-201 and where archs cannot be listed."""

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.search import baselines

SPACE = spaces.nasbench201(channels=2, cells=1, image_size=8)
LIMITED = spaces.LimitedSpace(SPACE, {"params": 3000}, connected=True)
FOUND = next(arch for arch in LIMITED.archs() if SPACE.cost(arch, "params") > 2000)


def test_randoms_are_within_the_limits_no_dearer_and_the_first_of_more():
  randoms, largest = baselines.choose(LIMITED, FOUND, 12, seed=5)
  assert len({FOUND, largest, *randoms}) == 14
  for arch in randoms:
    assert LIMITED.meets(arch) and SPACE.connected(arch)
    assert all(SPACE.cost(arch, kind) <= SPACE.cost(FOUND, kind) for kind in ("params", "macs"))
  assert baselines.choose(LIMITED, FOUND, 3, seed=5) == (randoms[:3], largest)
  assert baselines.choose(LIMITED, FOUND, 3, seed=6)[0] != randoms[:3]


def test_too_few_are_all_that_there_are():
  least = min(LIMITED.archs(), key=lambda arch: (SPACE.cost(arch, "params"), arch))
  costs = {kind: SPACE.cost(least, kind) for kind in ("params", "macs")}
  within = {arch for arch in LIMITED.archs() if spaces.meets(SPACE, arch, costs)}
  randoms, largest = baselines.choose(LIMITED, least, 10_000, seed=0)
  assert set(randoms) == within - {least, largest} and len(set(randoms)) == len(randoms)


def test_what_cannot_be_is_refused():
  for count, seed in ((-1, 0), (1, -1), (1, 2**32)):
    with pytest.raises(errors.InputError, match="`count` must be >= 0 and `seed`"):
      baselines.choose(LIMITED, FOUND, count, seed)


@pytest.mark.parametrize("most", [2000, 3000, 4567, None])
@pytest.mark.parametrize("connected", [False, True])
def test_the_largest_is_that_of_brute_force(most, connected):
  limited = spaces.LimitedSpace(SPACE, {"params": most}, connected)
  best = max(SPACE.cost(arch, "params") for arch in limited.archs())
  found = {limited.largest(np.random.default_rng(seed)) for seed in range(8)}
  assert {SPACE.cost(arch, "params") for arch in found} == {best}
  assert all(map(limited.meets, found))


def test_the_largest_of_equals_is_drawn():
  limited = spaces.LimitedSpace(SPACE, {"params": 3000}, connected=True)
  assert len({limited.largest(np.random.default_rng(seed)) for seed in range(8)}) > 3


def test_the_largest_among_unrelated_costs():
  rng, names = np.random.default_rng(3), tuple("abcd")
  costs = {
      kind: spaces.Cost(0, tuple(tuple(map(int, rng.integers(100, size=4))) for _ in range(6)))
      for kind in spaces.COSTS
  }
  space = spaces.Space("random", (spaces.Decision("d", names),) * 6, costs)
  for macs, complexity in ((150, 200), (300, 150), (120, 400)):
    limited = spaces.LimitedSpace(space, {"macs": macs, "complexity": complexity})
    best = max(space.cost(arch, "params") for arch in limited.archs())
    assert space.cost(limited.largest(rng), "params") == best


def test_the_largest_where_archs_cannot_be_listed():
  space = spaces.mobilenet()
  limited = spaces.LimitedSpace(space, {"macs": 330_000_000})
  arch = limited.largest(np.random.default_rng(0))
  assert limited.meets(arch)
  # A mixed integer program's optimum, by HiGHS, is 4,791,288.
  assert 0.99 * 4_791_288 < space.cost(arch, "params") <= 4_791_288
