"""Latency tables: what adds up to them, and measurements that are killed and run again.

No test compares times: calls are counted, or timed by a clock of the test.
"""

import dataclasses
import itertools
import json

import keras
import pytest

from tests import killed
from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.jobs import latency
from tfdynnas.spaces import costs
from tfdynnas.supernet import pieces as pieces_lib

SPACE = spaces.nasbench201(channels=2, cells=3, image_size=8)
SETTINGS = config_lib.LatencyConfig(warmup=1, repeats=3, check=4)
MEDIANS = {}
for _stage in range(3):
  MEDIANS |= {
      f"stage{_stage}_empty": 1.0, f"stage{_stage}_nor_conv_1x1": 9.0 + 8 * _stage,
      f"stage{_stage}_nor_conv_3x3": 17.0, f"stage{_stage}_avg_pool_3x3": 0.5,
      f"stage{_stage}_sum": 1.8,
  }


@pytest.fixture
def measured(monkeypatch):
  """Names of the models that were timed, each a second longer than the one before."""
  names = []

  def time_model(model, config, clock):
    names.append(model.name)
    return latency.spread([float(len(names))])

  monkeypatch.setattr(latency, "_time_model", time_model)
  return names


def test_a_table_is_the_sum_of_its_pieces():
  # The output of the second does not depend on its first edge, whose node leads to `none` alone; so
  # the rest is 7, that of the others 4 and 9.
  whole = {"all": (2,) * 6, "some": (3, 2, 0, 1, 0, 2), "none": (0,) * 6}
  medians = {**MEDIANS, "all": 4 + 3 * 18 + 3 * 18.9, "some": 7 + 18 + 18.9, "none": 9.0}
  made = latency.table(SPACE, pieces_lib.of(SPACE), medians, whole)
  # 3 cells; (17 - 1) / 8 = 2 in each stage; 1, 2, 3 of the 1x1; a sum is (1.8 - 1) / 8 = 0.1; a
  # pool that took no longer than nothing is 0.
  first, later = [0, 0, 18, 18, 0], [0, 0.9, 18.9, 18.9, 0.9]
  assert made["fixed"] == pytest.approx(7, abs=8 * costs.GRAIN)
  for row, (source, _) in zip(made["rows"], SPACE.edges):
    assert row == pytest.approx(later if source else first, abs=1e-12)
  space = costs.with_latency(SPACE, **made)
  found = [space.cost(arch, "latency") for arch in ((3, 1, 2, 0, 4, 1), (3, 2, 0, 1, 0, 2))]
  assert found == pytest.approx([7 + 18 + 0 + 18.9 + 0 + 0.9 * 2, 7 + 18 + 18.9], abs=1e-4)


def test_pieces_have_the_shapes_of_the_network():
  pieces = pieces_lib.of(SPACE)
  assert set(MEDIANS) == {*pieces.empty, *pieces.pieces}
  chain = pieces.pieces["stage1_nor_conv_3x3"].make()
  assert chain.input_shape == chain.output_shape == (None, 4, 4, 4)
  assert chain.count_params() == pieces_lib.TIMES * (9 * 4 * 4 + 4 * 4)  # Kernel, and the 4 of a
  assert pieces.whole((0,) * 6).output_shape == (None, 10)              # normalisation.


def test_pieces_of_cells_have_the_height_and_the_width_of_their_stage():
  wide = spaces.nasbench201(channels=2, cells=3, image_size=(8, 12))
  pieces = pieces_lib.of(wide)
  assert set(MEDIANS) == {*pieces.empty, *pieces.pieces}
  assert pieces.pieces["stage1_avg_pool_3x3"].make().output_shape == (None, 4, 6, 4)
  assert pieces.empty["stage2_empty"]().input_shape == (None, 2, 3, 8)
  assert pieces.whole((0,) * 6).input_shape == (None, 8, 12, 3)


def test_pieces_of_a_chain_of_layers_add_up():
  blocks = [spaces.Block("skip", 0), spaces.Block("k3", 2, 3), spaces.Block("k5", 2, 5)]
  skeleton = spaces.LayerSkeleton(
      (spaces.Stage(6, 2, 2), spaces.Stage(6, 1)), 4, 1, 4, 8, image_size=(8, 11), classes=3)
  space = spaces.layer_space("chain", blocks, skeleton)
  pieces = pieces_lib.of(space)
  # 8x11x4 -> 4x6x6 once in a call, which may not be skipped; then twice the same shape, in chains.
  assert [len(row) for row in pieces.rows] == [2, 3, 3] and pieces.rows[1] == pieces.rows[2]
  assert len(pieces.pieces) == 2 + 2 and len(pieces.empty) == 2
  medians = {"one": 5 + 16 + 2 + 4.0, **dict.fromkeys(pieces.empty, 1.0)}
  medians |= {name: 17.0 if name.endswith("k3") else 33.0 for name in pieces.pieces}
  made = latency.table(space, pieces, medians, {"one": (0, 1, 2)})
  assert made == {"fixed": 5, "rows": [[16, 32], [0, 2, 4], [0, 2, 4]]}
  for name, piece in pieces.pieces.items():
    assert piece.make().input_shape == pieces.empty[piece.empty]().input_shape, name
  assert pieces.whole((0, 0, 1)).output_shape == (None, 3)
  assert pieces.pieces["8x11x4_to_6_stride2_k3"].make().output_shape == (None, 4, 6, 6)


def test_a_space_of_its_own_kind_is_refused():
  plain = spaces.Space("plain", SPACE.decisions, SPACE.costs)
  with pytest.raises(errors.InputError, match="cells or layers. Received: `plain`"):
    pieces_lib.of(plain)


def test_calls_are_timed_by_the_clock_without_the_warm_up(tmp_path):
  """The clock reads 0, 1, 3, 6, 10, 15, ...: the calls of the first piece last 1, 3 and 5 s."""
  readings = itertools.accumulate(itertools.count())
  made = latency.measure_latency(SPACE, tmp_path / "t.json", SETTINGS, clock=lambda: next(readings))
  for number, times in enumerate(made["measured"].values()):
    first = 6 * number + 1  # From one reading to the next it is a second more each time.
    expected = [1000.0 * (first + late) for late in (0, 2, 4)]
    assert times == latency.spread(expected) and times["median"] == expected[1]


def test_a_killed_measurement_goes_on_and_is_whole_or_not_there(tmp_path, measured):
  path, shown = tmp_path / "t.json", []

  def die(done, total):
    if done == 5:
      raise killed.Killed

  with pytest.raises(killed.Killed):
    latency.measure_latency(SPACE, path, SETTINGS, die)
  assert not path.exists() and len(measured) == 5
  made = latency.measure_latency(SPACE, path, SETTINGS, lambda *counts: shown.append(counts))
  assert len(measured) == len(made["measured"]) == len(shown) == len(MEDIANS) + latency.FITTED
  assert [times["median"] for times in made["measured"].values()] == list(range(1, 24))
  assert [file.name for file in tmp_path.iterdir()] == ["t.json"]
  assert json.loads(path.read_text()) == made
  assert latency.measure_latency(SPACE, path, SETTINGS) == made and len(measured) == 23
  space = costs.read_latency(SPACE, path)
  assert space.cost((0,) * 6, "latency") == pytest.approx(made["fixed"], abs=costs.GRAIN)


def test_a_table_is_of_one_machine_and_its_versions(tmp_path, measured):
  path = tmp_path / "t.json"
  made = latency.measure_latency(SPACE, path, SETTINGS)
  assert made["versions"]["keras"] == keras.__version__ and made["machine"]["processor"]
  for part, name in (("versions", "keras"), ("machine", "processor")):
    path.write_text(json.dumps({**made, part: {**made[part], name: "another"}}))
    with pytest.raises(errors.InputError, match=f"{part}.{name}='another' there"):
      latency.measure_latency(SPACE, path, SETTINGS)


@pytest.mark.parametrize("times", [
    3, {}, {"median": "x"}, *({"median": 1, "low": 1, "high": value} for value in (
        -1, 0, float("nan"), float("inf"), True, "1", 10**400))])
def test_damaged_times_are_refused_and_missing_ones_are_measured(tmp_path, measured, times):
  path = tmp_path / "t.json"
  made = latency.measure_latency(SPACE, path, SETTINGS)
  name = next(iter(made["measured"]))
  path.write_text(json.dumps({**made, "measured": {**made["measured"], name: times}}))
  with pytest.raises(errors.InputError, match="must be a measurement"):
    latency.measure_latency(SPACE, path, SETTINGS)
  path.write_text(json.dumps({**made, "measured": {}}))
  again = latency.measure_latency(SPACE, path, SETTINGS)
  assert json.loads(path.read_text()) == again and len(measured) == 2 * 23


def test_a_check_measures_random_archs_once(tmp_path, measured):
  path = tmp_path / "t.json"
  latency.measure_latency(SPACE, path, SETTINGS)
  found = latency.check_latency(SPACE, path, SETTINGS)
  assert len(measured) == 23 + 4 and len(found["archs"]) == 4
  space = costs.read_latency(SPACE, path)
  for row, real in zip(found["archs"], (24, 25, 26, 27)):
    assert row["measured"] == real
    assert row["predicted"] == space.cost(row["arch"], "latency")
  assert latency.check_latency(SPACE, path, SETTINGS) == found and len(measured) == 27
  assert json.loads((tmp_path / "t.check.json").read_text()) == found


def test_comparison_of_hand_made_times():
  found = latency.compare([1.0, 2.0, 4.0, 5.0], [1.1, 3.0, 2.0, 5.0])
  assert found["kendall"] == pytest.approx(4 / 6)  # One of six pairs is the wrong way round.
  assert found["spearman"] == pytest.approx(0.8)
  assert found["relative_error"]["median"] == pytest.approx((0.1 + 0.5) / 2)
  assert found["ratio"]["median"] == pytest.approx((1.0 + 1.1) / 2)
  assert latency.compare([1.0, 2.0], [3.0, 3.0])["kendall"] is None


@pytest.mark.parametrize("change,name", [
    ({"latency_batch": 2}, "settings.batch=1 there, 2 here"),
    ({"repeats": 4}, "settings.repeats=3 there, 4 here"),
    ({"threads": 1}, "settings.threads=0 there, 1 here"),
])
@pytest.mark.parametrize("whole", [False, True])
def test_other_settings_are_refused_by_name(tmp_path, measured, change, name, whole):
  path = tmp_path / "t.json"

  def die(done, total):
    if done == 3 and not whole:
      raise killed.Killed

  try:
    latency.measure_latency(SPACE, path, SETTINGS, die)
  except killed.Killed:
    pass
  other = dataclasses.replace(SETTINGS, **change)
  with pytest.raises(errors.InputError, match=f"Received: {name}$"):
    latency.measure_latency(SPACE, path, other)
  larger = spaces.nasbench201(channels=4, cells=3, image_size=8)
  with pytest.raises(errors.InputError, match="Received: space.costs.complexity="):
    latency.measure_latency(larger, path, SETTINGS)
  path.write_text("{}")
  with pytest.raises(errors.InputError, match="must be a measurement"):
    latency.measure_latency(SPACE, path, SETTINGS)
