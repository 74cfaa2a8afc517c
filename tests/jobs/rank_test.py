"""Ranking a small run: what is scored, kept, gone on with, compared and refused."""

import csv
import json
import shutil

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas import spaces
from tfdynnas.jobs import archs as archs_lib
from tfdynnas.jobs import score_log
from tfdynnas.jobs import scoring

SPACE = spaces.nasbench201()
SETTINGS = {"score_images": 64, "score_batch": 32}
LIST = "#11718,#0,#7812,#15624"


@pytest.fixture
def scored(monkeypatch):
  """The archs that were scored, in order."""
  found, make = [], scoring.make_scorer

  def make_noting(*args):
    scorer = make(*args)
    return lambda arch: found.append(arch) or scorer(arch)

  monkeypatch.setattr(scoring, "make_scorer", make_noting)
  return found


def _rows(run_dir):
  with open(run_dir.path / "rank" / "ranking.csv", newline="") as file:
    return list(csv.DictReader(file))


def _table(path, **arrays):
  np.savez(path, **arrays)
  return str(path)


def test_a_list_is_scored_in_its_order_and_without_a_truth(run_dir, scored):
  shown = []
  found = jobs.run_rank(run_dir, config.RankConfig(archs=LIST, **SETTINGS),
                        lambda done, total, **values: shown.append((done, total)))
  rows = _rows(run_dir)
  assert [row["index"] for row in rows] == ["11718", "0", "7812", "15624"]
  assert [row["string"] for row in rows] == [
      SPACE.format(SPACE.arch(int(row["index"]))) for row in rows]
  assert shown == [(1, 4), (2, 4), (3, 4), (4, 4)] and len(scored) == 4
  assert all(row["truth"] == "" and 0 <= float(row["accuracy"]) <= 1 for row in rows)
  assert int(rows[0]["complexity"]) > int(rows[2]["complexity"]) > int(rows[1]["complexity"])
  assert found["truth"] is None and "tau_b" not in found
  assert found["ranked"] == {"archs": LIST, "count": 4, "seed": 0}


def test_scores_are_kept_line_by_line_and_gone_on_with(run_dir, scored):
  whole = jobs.run_rank(run_dir, config.RankConfig(archs="sample:9", **SETTINGS))
  unharmed, scores = _rows(run_dir), run_dir.path / "rank" / "scores.jsonl"
  lines = scores.read_text().splitlines(keepends=True)
  shutil.rmtree(run_dir.path / "rank")
  (run_dir.path / "rank").mkdir()
  scores.write_text("".join(lines[:5]) + lines[5][:20])  # Killed within the fifth.
  del scored[:]
  assert jobs.run_rank(run_dir, config.RankConfig(archs="sample:9", **SETTINGS)) == whole
  assert _rows(run_dir) == unharmed and len(scored) <= 5
  assert len(scores.read_text().splitlines()) == 10
  del scored[:]
  jobs.run_rank(run_dir, config.RankConfig(archs="sample:11", **SETTINGS))
  assert len(scored) <= 2 and _rows(run_dir)[:9] == unharmed


def test_equal_networks_are_scored_once(run_dir, scored):
  # Node 1 is unfed: what follows from it changes nothing.
  archs = [(0, 3, 0, 1, 0, 2), (0, 3, 3, 1, 4, 2), (0, 3, 1, 1, 1, 2), (0, 3, 0, 1, 0, 3)]
  listed = ",".join(f"#{SPACE.index(arch)}" for arch in archs)
  jobs.run_rank(run_dir, config.RankConfig(archs=listed, **SETTINGS))
  assert len(scored) == 2
  rows = _rows(run_dir)
  assert len({(row["accuracy"], row["loss"]) for row in rows[:3]}) == 1
  plain = scoring.make_scorer(run_dir, *jobs.rank.setup.reload(run_dir),
                              config.RankConfig(**SETTINGS))
  assert [float(row["loss"]) for row in rows] == pytest.approx([plain(a)["loss"] for a in archs])


def test_other_settings_and_another_supernet_are_refused(run_dir):
  jobs.run_rank(run_dir, config.RankConfig(archs="#0,#1", **SETTINGS))
  with pytest.raises(errors.InputError, match="Received: score_images=64 there, 65 here$"):
    jobs.run_rank(run_dir, config.RankConfig(archs="#0,#1", score_images=65, score_batch=32))
  path = run_dir.path / "rank" / "scores.jsonl"
  header, rest = path.read_text().split("\n", 1)
  identity = json.loads(header)["identity"]
  path.write_text(json.dumps({"identity": {**identity, "supernet": "other"}}) + "\n" + rest)
  with pytest.raises(errors.InputError, match="Received: supernet='other' there"):
    jobs.run_rank(run_dir, config.RankConfig(archs="#0,#1", **SETTINGS))


def test_a_ranking_is_compared_with_a_table(run_dir, tmp_path):
  truth = np.random.default_rng(0).uniform(10, 90, SPACE.size).astype(np.float32)
  table = _table(tmp_path / "t.npz", digits_test=truth, cifar100_valid_12=truth[::-1],
                 ranking_subset=np.arange(5, 15000, 2000))
  found = jobs.run_rank(run_dir, config.RankConfig(table=table, **SETTINGS))
  rows = _rows(run_dir)
  assert [int(row["index"]) for row in rows] == list(range(5, 15000, 2000))
  np.testing.assert_allclose([float(row["truth"]) for row in rows], truth[5:15000:2000])
  assert found["truth"] == {
      "table": table, "dataset": "digits", "split": "test", "epochs": 200, "chance": 10.0}
  scores = [100 * float(row["accuracy"]) for row in rows]
  costs = {kind: [int(row[kind]) for row in rows] for kind in spaces.COSTS}
  expected = analysis.statistics(scores, [float(row["truth"]) for row in rows], costs, (10, 10))
  for name in ("tau_b", "tau_b_of_costs", "c3", "cb", "precision_at", "regret_at"):
    assert found[name] == expected[name], name
  assert all("this project's" in text for text in found["definitions"].values())
  assert json.loads((run_dir.path / "rank" / "statistics.json").read_text()) == found
  other = jobs.run_rank(run_dir, config.RankConfig(
      table=table, truth_dataset="cifar100", truth_split="valid", truth_epochs=12, **SETTINGS))
  assert other["truth"]["chance"] == 1.0
  assert float(_rows(run_dir)[0]["truth"]) == pytest.approx(truth[::-1][5])


def test_archs_are_trained_on_their_own_once(run_dir):
  recipe = config.SubnetConfig(subnet_epochs=1, subnet_batch=256)
  steps = []
  settings = config.RankConfig(standalone=2, **SETTINGS)
  found = jobs.run_rank(run_dir, settings, recipe=recipe,
                        train_progress=lambda step, total, **_: steps.append((step, total)))
  rows = _rows(run_dir)
  assert len(rows) == found["count"] == 2 and found["truth"]["standalone"] == 2
  total = steps[0][1]
  assert steps == [(step, total) for step in range(1, total + 1)]
  for row in rows:
    result = json.loads((run_dir.path / "standalone" / row["index"] / "result.json").read_text())
    assert float(row["truth"]) == 100 * result["accuracy"] and result["string"] == row["string"]
  assert jobs.run_rank(run_dir, settings, recipe=recipe, train_progress=None) == found  # All there.
  with pytest.raises(errors.InputError, match="subnet_epochs=1 there, 2 here"):
    jobs.run_rank(run_dir, settings, recipe=config.SubnetConfig(subnet_epochs=2, subnet_batch=256))
  with pytest.raises(errors.InputError, match="trained from scratch. Received: inherit=True"):
    jobs.run_rank(run_dir, settings, recipe=config.SubnetConfig(inherit=True))


@pytest.mark.parametrize("flags, words", [
    ({}, "needs `table`, .*standalone=N. Received: neither"),
    ({"archs": "#1,#2,#1"}, r"Received twice: .*\(#1\)"),
    ({"archs": "#15625"}, "Received: 15625"), ({"archs": "sample:15626"}, "Received: 15626"),
    ({"archs": "nowhere.txt"}, "`archs` must be a text file. Received: nowhere.txt"),
    ({"archs": "#1,#2", "standalone": 3}, "`standalone` must be <= 2"),
    ({"archs": "#1,#2", "table": "nowhere.npz"}, "`table` must be a file.*nowhere.npz, none"),
])
def test_lists_and_truths_that_are_not_there(run_dir, flags, words):
  with pytest.raises(errors.InputError, match=words):
    jobs.run_rank(run_dir, config.RankConfig(**flags))
  assert not (run_dir.path / "rank").exists()


def test_a_table_that_does_not_fit_is_refused(run_dir, tmp_path):
  other = _table(tmp_path / "a.npz", own_test=[1.0, 2.0], space=np.array("own"))
  with pytest.raises(errors.InputError, match="nasbench201 with 15625 archs. Received: own with 2"):
    jobs.run_rank(run_dir, config.RankConfig(archs="#1,#2", table=other))
  unknown = np.full(SPACE.size, np.nan)
  unknown[1] = 50
  table = _table(tmp_path / "b.npz", digits_test=unknown)
  with pytest.raises(errors.InputError, match="2 archs with a truth. Received: 1"):
    jobs.run_rank(run_dir, config.RankConfig(archs="#1,#2", table=table))
  with pytest.raises(errors.InputError, match="`digits_valid`"):
    jobs.run_rank(run_dir, config.RankConfig(archs="#1,#2", table=table, truth_split="valid"))
  with pytest.raises(errors.InputError, match="b.npz, which has none"):
    jobs.run_rank(run_dir, config.RankConfig(table=table))


def test_lists_of_archs(tmp_path):
  path = tmp_path / "archs.txt"
  path.write_text(f"#7\n\n{SPACE.format(SPACE.arch(11))}\n0,0,0,0,0,4\n")
  for settings in (config.RankConfig(archs=str(path)), config.RankConfig(subset=str(path))):
    assert [SPACE.index(arch) for arch in archs_lib.listed(SPACE, settings)] == [7, 11, 4]
  path.write_text("#7\n|none~0|\n")
  with pytest.raises(errors.InputError, match="archs.txt:2: An arch of `nasbench201` looks like"):
    archs_lib.listed(SPACE, config.RankConfig(archs=str(path)))
  path.write_text("\n")
  with pytest.raises(errors.InputError, match="archs.txt, empty"):
    archs_lib.listed(SPACE, config.RankConfig(archs=str(path)))
  everything = archs_lib.listed(SPACE, config.RankConfig(archs="all"))
  assert [SPACE.index(arch) for arch in everything] == list(range(15625))


def test_a_space_that_cannot_be_listed_is_sampled():
  space = spaces.mobilenet()
  with pytest.raises(errors.InputError, match="221,502,229,807,900,608; take archs=sample:N"):
    archs_lib.listed(space, config.RankConfig(archs="all"))
  few, many = (archs_lib.listed(space, config.RankConfig(archs=f"sample:{n}")) for n in (5, 50))
  assert many[:5] == few and len(set(many)) == 50
  named = ",".join(f"#{space.index(arch)}" for arch in few)
  assert archs_lib.listed(space, config.RankConfig(archs=named)) == few


def test_stratified_archs_are_nested_and_spread_over_macs():
  """A uniform sample of the MobileNet space has hardly an arch in its outer thirds."""
  space = spaces.mobilenet(width=0.25, small=True, image_size=16, classes=10)
  few, many = (archs_lib.stratified(space, count, seed=3) for count in (10, 60))
  assert many[:10] == few and len(set(many)) == 60
  low, high = space.bounds("macs")
  thirds = [3 * (space.cost(arch, "macs") - low) // (high - low + 1) for arch in many]
  assert all(8 < thirds.count(third) < 32 for third in range(3))
  uniform = [3 * (space.cost(arch, "macs") - low) // (high - low + 1)
             for arch in archs_lib.sampled(space, 60, seed=3)]
  assert uniform.count(1) > 50
  with pytest.raises(errors.InputError, match="stratified:30, and 27 found in 600 draws"):
    archs_lib.stratified(spaces.cell_space(
        "tiny", SPACE.operations[:3], nodes=3, skeleton=spaces.Skeleton(2, 1, 8)), 30, seed=0)


def test_samples_are_nested_and_uniform():
  few, many = (archs_lib.sampled(SPACE, count, seed=3) for count in (10, 3000))
  assert many[:10] == few and len(set(many)) == 3000
  assert archs_lib.sampled(SPACE, 10, seed=4) != few
  counts = np.stack([np.bincount(choices, minlength=5) for choices in np.transpose(many)])
  assert abs(counts - 600).max() < 5 * (3000 * 0.2 * 0.8) ** 0.5


@pytest.mark.parametrize("line", [
    "", "{", "[1]", '{"index": 1}', '{"index": "x"}', "[" * 100_000,
    *('{"index": %s, "accuracy": %s, "loss": %s, "balanced_accuracy": %s}' % row for row in (
        (1, 7.5, 1, 1), (1, -0.1, 1, 1), (1, "NaN", 1, 1), (1, '"1"', 1, 1), (1, "true", 1, 1),
        (-1, 0.5, 1, 1), (1.5, 0.5, 1, 1), (1, 0.5, "Infinity", 1), (1, 0.5, 1, 1.5))),
])
def test_damaged_scores_are_refused(tmp_path, line):
  path = tmp_path / "scores.jsonl"
  log = score_log.ScoreLog(path, {"a": 1})
  log.add(5, {"accuracy": 0.5, "loss": float("nan")})
  log.close()
  assert score_log.ScoreLog(path, {"a": 1}).scores == {
      5: {"accuracy": 0.5, "balanced_accuracy": None, "loss": None}}
  path.write_text(path.read_text() + line + "\n")
  with pytest.raises(errors.InputError, match="Line 3 of .*scores.jsonl must "):
    score_log.ScoreLog(path, {"a": 1})
  path.write_text("no scores\n")
  with pytest.raises(errors.InputError, match="Line 1 of"):
    score_log.ScoreLog(path, {"a": 1})


def test_scores_of_an_older_file_are_made_anew_where_they_lack_what_is_asked(tmp_path):
  log = score_log.ScoreLog(tmp_path / "scores.jsonl", {"a": 1})
  log.add(5, {"accuracy": 0.5, "loss": 1.0})  # As the version before wrote it.
  log.add(6, {"accuracy": 0.5, "balanced_accuracy": 0.25, "loss": 1.0})
  log.close()
  again = score_log.ScoreLog(tmp_path / "scores.jsonl", {"a": 1})
  again.forget_without("accuracy")
  assert sorted(again.scores) == [5, 6]
  again.forget_without("balanced_accuracy")
  assert again.scores == {6: {"accuracy": 0.5, "balanced_accuracy": 0.25, "loss": 1.0}}
  again.close()


@pytest.mark.parametrize("flags, words", [
    ({"archs": "sample:0"}, "stratified:N. Received: 'sample:0'"),
    ({"archs": "stratified:x"}, "stratified:N. Received: 'stratified:x'"),
    ({"standalone": 1}, "`standalone` >= 2"), ({"standalone": 4, "table": "t.npz"}, "Give one of"),
])
def test_settings_that_cannot_be(flags, words):
  with pytest.raises(errors.InputError, match=words):
    config.RankConfig(**flags)
