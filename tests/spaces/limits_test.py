"""Limits are decided exactly: against all 15 625 archs of NAS-Bench-201, one by one."""

import time

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.spaces import costs as costs_lib
from tfdynnas.spaces import limits as limits_lib

NB201 = spaces.nasbench201()
ARCHS = [NB201.arch(index) for index in range(NB201.size)]


def _random_space(seed, decisions=6, choices=5, most=1000):
  """A space whose costs have nothing to do with each other."""
  rng = np.random.default_rng(seed)
  costs = {
      kind: spaces.Cost(int(rng.integers(most)), tuple(
          tuple(map(int, rng.integers(most, size=choices))) for _ in range(decisions)))
      for kind in spaces.COSTS
  }
  names = tuple(f"c{number}" for number in range(choices))
  return spaces.Space("random", (spaces.Decision("d", names),) * decisions, costs)


def _all_costs(space, kind):
  fixed, table = space.table(kind)
  total = np.full((1,) * len(table), fixed)
  for number, row in enumerate(table):
    total = total + row.reshape([-1 if axis == number else 1 for axis in range(len(table))])
  return total.reshape(-1)


def test_the_least_cost_is_named_for_one_limit():
  least = _all_costs(NB201, "params").min()
  assert least == 73306
  with pytest.raises(errors.InputError) as refusal:
    spaces.LimitedSpace(NB201, spaces.Limits(max_params=1000))
  assert str(refusal.value) == (
      "No arch of `nasbench201` has params <= 1000. The least is 73306.")
  assert len(list(spaces.LimitedSpace(NB201, {"params": int(least)}).archs())) == 3**6


@pytest.mark.parametrize("seed", range(8))
def test_conjunctions_are_decided_as_by_brute_force(seed):
  space, rng = _random_space(seed), np.random.default_rng(seed)
  costs = {kind: _all_costs(space, kind) for kind in spaces.COSTS}
  for kinds in (("params", "macs"), spaces.COSTS):
    for quantile in (0.0005, 0.02, 0.3):
      limits = {kind: int(np.quantile(costs[kind], quantile * rng.uniform(0.5, 1.5)))
                for kind in kinds}
      within = np.all([costs[kind] <= most for kind, most in limits.items()], axis=0)
      try:
        limited = spaces.LimitedSpace(space, limits)
      except errors.InputError as refusal:
        assert not within.any()
        _check_refusal(str(refusal), costs, limits)
      else:
        assert [space.index(arch) for arch in limited.archs()] == np.flatnonzero(within).tolist()


def _check_refusal(message, costs, limits):
  met = np.ones(len(costs["macs"]), bool)
  for kind, most in limits.items():
    least = costs[kind][met].min()
    met &= costs[kind] <= most
    if not met.any():
      assert message.endswith(f"least {kind} is {least}.") or message.endswith(
          f"The least is {least}.")
      assert f"{kind} <= {most}" in message
      return
  raise AssertionError("the limits can be met")


@pytest.mark.parametrize("seed", range(4))
def test_latency_and_bytes_are_decided_as_by_brute_force(seed):
  rng = np.random.default_rng(seed)
  timed = costs_lib.with_latency(NB201, rng.random(), rng.random((6, 5)).tolist())
  space = costs_lib.with_bytes(timed)
  costs = {kind: _all_costs(space, kind) for kind in ("params", "bytes", "latency")}
  for kinds in (("latency",), ("bytes", "latency"), ("params", "latency")):
    for quantile in (0.0002, 0.1, 0.5):
      limits = {kind: np.quantile(costs[kind], quantile).item() for kind in kinds}
      within = np.all([costs[kind] <= most for kind, most in limits.items()], axis=0)
      if within.any():
        archs = spaces.LimitedSpace(space, limits).archs()
        assert [space.index(arch) for arch in archs] == np.flatnonzero(within).tolist()


def test_the_nearest_latency_that_is_named_can_be_met():
  space = costs_lib.with_latency(NB201, 0.1234567, [[0.1111111, 0.2, 0.3, 0.4, 0.5]] * 6)
  for limits, start in (
      ({"latency": 0.5}, "latency <= 0.5. The least"),
      ({"params": 80_000, "latency": 0.5},
       "params <= 80000 and latency <= 0.5. With params <= 80000 the least latency")):
    with pytest.raises(errors.InputError) as refusal:
      spaces.LimitedSpace(space, limits)
    assert str(refusal.value).startswith(f"No arch of `nasbench201` has {start} is 0.79012")
    named = float(str(refusal.value).rpartition(" is ")[2][:-1])
    assert abs(named - 0.7901233) < 1e-5  # 0.1234567 + 6 x 0.1111111, all rounded.
    least = spaces.LimitedSpace(space, {**limits, "latency": named})
    assert next(least.archs()) == (0,) * 6


def test_both_ways_of_drawing_stay_within_and_miss_nothing():
  limits = {"params": 80_000}
  within = {arch for arch in ARCHS if spaces.meets(NB201, arch, limits)}
  assert 0 < len(within) < NB201.size / 5
  limited = spaces.LimitedSpace(NB201, limits)
  for tries in (0, 100):
    rng, visited = np.random.default_rng(0), set()
    while (arch := limited.sample(rng, visited, tries)) is not None:
      assert arch not in visited and all(isinstance(choice, int) for choice in arch)
      visited.add(arch)
    assert visited == within


def test_a_draw_without_limits_is_uniform():
  limited, rng = spaces.LimitedSpace(NB201), np.random.default_rng(1)
  counts = np.zeros((6, 5))
  for _ in range(5000):
    counts[np.arange(6), limited.sample(rng)] += 1
  assert abs(counts - 1000).max() < 5 * np.sqrt(5000 * 0.2 * 0.8)


def test_a_rare_arch_of_a_large_space_is_found_at_once():
  space = _random_space(3, decisions=21, choices=7)
  least = {kind: space.bounds(kind)[0] for kind in spaces.COSTS}
  start = time.monotonic()
  limited = spaces.LimitedSpace(space, {"params": least["params"] + 20})
  arch = limited.sample(np.random.default_rng(0))
  assert limited.meets(arch) and space.cost(arch, "params") <= least["params"] + 20
  with pytest.raises(errors.InputError, match="the least macs is"):
    spaces.LimitedSpace(space, {"params": least["params"] + 20, "macs": least["macs"] + 20})
  assert time.monotonic() - start < 20


@pytest.mark.parametrize("seed", range(3))
def test_the_largest_within_limits_is_found_as_by_brute_force(seed):
  space = _random_space(seed, decisions=4, choices=4, most=60)  # Sums below a level's width of 1.
  rng = np.random.default_rng(seed)
  for _ in range(5):
    some = space.sample(rng)
    limits = {"macs": space.cost(some, "macs"), "complexity": space.cost(some, "complexity")}
    largest = spaces.LimitedSpace(space, limits).largest(rng)
    within = [arch for arch in space.archs() if spaces.meets(space, arch, limits)]
    assert spaces.meets(space, largest, limits)
    assert space.cost(largest, "params") == max(space.cost(arch, "params") for arch in within)


def test_of_sums_of_one_level_the_largest_stays():
  """At a limit of 256 a level is 1 wide: costs of 10.0 and 10.9 are of one, 11.0 is of the next."""
  sums = np.array([[0, 5, 10.0], [0, 7, 10.9], [0, 6, 11.0], [1, 1, 10.0], [0, 2, 250.0]])
  kept = limits_lib._largest_of_each(sums, np.array([256.0]), np.random.default_rng(0))
  assert sorted(kept.tolist()) == [1, 2, 3, 4]


@pytest.mark.parametrize("limits", [
  {"latency": 1}, {"params": -1}, {"macs": float("nan")}, {"params": "1"}, {"params": True},
])
def test_wrong_limits_are_refused(limits):
  with pytest.raises(errors.InputError, match="Received"):
    spaces.LimitedSpace(NB201, limits)


def test_no_limit_is_none():
  assert spaces.LimitedSpace(NB201, spaces.Limits()).limits == {}
  assert spaces.LimitedSpace(NB201, {"params": None, "macs": np.int64(10**9)}).limits == {
      "macs": 10**9}


def test_archs_without_a_signal_are_left_out_if_asked():
  whole, connected = spaces.LimitedSpace(NB201), spaces.LimitedSpace(NB201, connected=True)
  dead = [arch for arch in ARCHS if not NB201.connected(arch)]
  assert len(dead) == 341 and not any(map(connected.meets, dead)) and all(map(whole.meets, dead))
  assert list(connected.archs()) == [arch for arch in ARCHS if arch not in set(dead)]
  limits = {"params": 73306}  # The least: no convolution anywhere, 3 choices an edge, one `none`.
  cheap = spaces.LimitedSpace(NB201, limits, connected=True)
  expected = [arch for arch in spaces.LimitedSpace(NB201, limits).archs() if NB201.connected(arch)]
  assert list(cheap.archs()) == expected and len(expected) < 3**6
  rng, drawn = np.random.default_rng(0), set()
  while (arch := cheap.sample(rng, drawn, tries=1)) is not None:
    drawn.add(arch)
  assert drawn == set(expected)


def test_a_limit_that_only_archs_without_a_signal_meet_is_refused():
  operations = [spaces.Operation("none", "zero"), spaces.Operation("conv", "conv", 3)]
  space = spaces.cell_space("mine", operations, nodes=10)
  limits = {"params": space.bounds("params")[0]}
  assert len(list(spaces.LimitedSpace(space, limits).archs())) == 1
  with pytest.raises(errors.InputError, match="through which a signal passes.*73306"):
    spaces.LimitedSpace(space, limits, connected=True)
  one = {"params": limits["params"] + space.costs["params"].table[0][1]}
  (arch,) = spaces.LimitedSpace(space, one, connected=True).archs()
  assert [space.edges[place] for place, choice in enumerate(arch) if choice] == [(0, 9)]
