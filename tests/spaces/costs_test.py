"""Bytes and latency as costs of a space, and tables that belong to another one."""

import json

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.spaces import costs

SMALL = spaces.nasbench201(channels=2, cells=1, image_size=8)
ROWS = [[0.0, 0.1, 0.2, 0.3, 0.7]] * 6


def test_bytes_are_four_for_each_param():
  space = costs.with_bytes(spaces.nasbench201())
  assert isinstance(space, spaces.CellSpace)
  assert space.cost((0,) * 6, "bytes") == 4 * 73306
  assert space.bounds("bytes") == tuple(4 * bound for bound in space.bounds("params"))
  assert space.cost((3, 2, 1, 0, 3, 4), "bytes") == 4 * space.cost((3, 2, 1, 0, 3, 4), "params")


def test_latency_adds_up_exactly_in_any_order():
  space = costs.with_latency(SMALL, 0.3, ROWS)
  arch = (1, 2, 3, 4, 1, 2)  # 0.3 + 0.1 + 0.2 + 0.3 + 0.7 + 0.1 + 0.2, each to a nanosecond.
  assert abs(space.cost(arch, "latency") - 1.9) < 7 * costs.GRAIN
  fixed, table = space.table("latency")
  numbers = [fixed, *table[np.arange(6), arch]]
  for seed in range(20):
    mixed = np.random.default_rng(seed).permutation(numbers)
    assert sum(mixed.tolist()) == space.cost(arch, "latency")
  assert space.cost((4,) * 6, "latency") == space.bounds("latency")[1]
  assert table.dtype == np.float64 and SMALL.table("params")[1].dtype == np.int64
  assert "latency" not in SMALL.costs


@pytest.mark.parametrize("fixed,rows", [
    (-1.0, ROWS), (1e308, ROWS), (10**400, ROWS), (float("nan"), ROWS),
    (float("inf"), ROWS), (True, ROWS), ("1", ROWS),
    (0.0, ROWS[1:]), (0.0, [row[1:] for row in ROWS]), (0.0, [[0, 0, 0, 0, -0.1]] * 6),
])
def test_wrong_latencies_are_refused(fixed, rows):
  with pytest.raises(errors.InputError, match="Received"):
    costs.with_latency(SMALL, fixed, rows)


def _write(path, **more):
  table = {"space": costs.describe(SMALL), "fixed": 0.5, "rows": ROWS, **more}
  path.write_text(json.dumps(table))
  return path


def test_a_table_is_read_by_its_own_space_alone(tmp_path):
  path = _write(tmp_path / "t.json")
  space = costs.read_latency(SMALL, path)
  assert space.cost((0,) * 6, "latency") == 0.5
  assert costs.read_latency(costs.with_bytes(SMALL), path).cost((0,) * 6, "bytes") == 4 * 1332
  for other in (spaces.nasbench201(2, 2, 8), spaces.nasbench201(2, 1, 12)):
    with pytest.raises(errors.InputError, match="one of this space: costs .* Received: .* in "):
      costs.read_latency(other, path)


@pytest.mark.parametrize("more", [{"space": "nasbench201"}, {"rows": None}, {"fixed": "0"}])
def test_what_is_no_table_is_refused(tmp_path, more):
  with pytest.raises(errors.InputError, match="must hold what this version writes. Received: "):
    costs.read_latency(SMALL, _write(tmp_path / "t.json", **more))
  (tmp_path / "torn.json").write_text('{"space": ')
  for name in ("torn.json", "none.json"):
    with pytest.raises(errors.InputError, match="must be whole JSON. Received: "):
      costs.read_latency(SMALL, tmp_path / name)
