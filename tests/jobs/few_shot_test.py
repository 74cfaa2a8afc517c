"""A few-shot run in one process: what the parts are, what they begin with, how they are scored."""

import json
import shutil

import numpy as np
import pytest
from keras import ops

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.jobs import few_shot
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import scoring
from tfdynnas.jobs import setup
from tfdynnas.jobs import trained
from tfdynnas.training import callbacks
from tfdynnas.training import checkpoint
from tfdynnas.training import loop

DATA = config.DataConfig(dataset="digits")
SPACE = config.SpaceConfig(channels=2, cells=1)
SUPERNET = config.SupernetConfig(epochs=1, pad=1, flip=False)
DEVICES = config.DeviceConfig()
CUT = config.FewShotConfig(few_shot_decision=3, few_shot_groups="0,1;2,3,4")


def _train(folder, cut=CUT, supernet=SUPERNET, probes=config.ProbeConfig()):
  run_dir = jobs.RunDir(folder, create=True, shared=True)
  try:
    return jobs.train_few_shot(
        run_dir, DATA, SPACE, supernet, cut, DEVICES, probes=probes)
  finally:
    run_dir.close()


@pytest.fixture(scope="module")
def one_shot(trained):
  """A run with one supernet; not to be changed."""
  return trained


@pytest.fixture(scope="module")
def in_parts(tmp_path_factory):
  """(folder, what was told) of a few-shot run."""
  folder = tmp_path_factory.mktemp("parts") / "run"
  return folder, _train(folder)


@pytest.fixture
def no_training(monkeypatch):
  """Each training that begins is a failure."""
  monkeypatch.setattr(loop, "fit", lambda *args: pytest.fail("A training began"))


def test_parts_are_trainings_of_their_own(in_parts):
  folder, told = in_parts
  assert [(row["part"], row["choices"], row["row"]["step"]) for row in told] == [
      (0, ["none", "skip_connect"], 15), (1, ["nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"], 15)]
  methods = [
      json.loads((folder / "supernet" / f"part_{part}" / "method.json").read_text())
      for part in range(2)]
  assert methods[0]["split_decision"] == methods[1]["split_decision"] != 3
  assert methods[0]["bounds"] == methods[1]["bounds"]
  assert methods[0]["seed"] != methods[1]["seed"]


def test_a_part_trains_its_own_choices_alone(in_parts):
  run_dir = jobs.RunDir(in_parts[0])
  settings, _, space = setup.reload(run_dir)
  run_dir.close()
  parts = spaces.make_parts(space, 3, CUT.few_shot_groups)
  for part, has_convolutions in enumerate([False, True]):
    start = supernet_lib.Supernet(space, few_shot.part_config(settings, parts, part).seed)
    end = supernet_lib.Supernet(space)
    _restore(end, run_dir.path, part)
    ratios = [
        (ops.convert_to_numpy(new) / ops.convert_to_numpy(old))[owner == 3]
        for owner, new, old in zip(
            start.row_decisions(), end.trainable_variables, start.trainable_variables)
        if owner is not None]
    # Decay alone shrinks all values alike.
    assert (max(ratio.std() for ratio in ratios) > 1e-4) == has_convolutions


def _restore(network, folder, part):
  path = folder / "supernet" / f"part_{part}" / "checkpoint.npz"
  checkpoint.restore(path, callbacks.weights(network), partly=True)


def test_a_part_is_looked_at_by_its_own_archs(in_parts, tmp_path):
  run = shutil.copytree(in_parts[0], tmp_path / "run")
  for part in range(2):
    (run / "supernet" / f"part_{part}" / "checkpoint.npz").unlink()
  _train(run, probes=config.ProbeConfig(probe_epochs=1, probe_archs=8, probe_images=64))
  space = setup.make_space(SPACE, setup.load_data(DATA))
  for part, choices in enumerate([{0, 1}, {2, 3, 4}]):
    folder = run / "supernet" / f"part_{part}"
    (line,) = map(json.loads, (folder / "probes.jsonl").read_text().splitlines())
    archs = [space.arch(row["index"]) for row in line["archs"]]
    assert line["step"] == 15 and {arch[3] for arch in archs} == choices
    run_dir = jobs.RunDir(run)
    score = scoring.make_scorer(
        run_dir, SUPERNET, setup.load_data(DATA), space, config.ScoreConfig(score_images=64))
    run_dir.close()
    expected = [score(arch)["accuracy"] for arch in archs]
    assert [row["accuracy"] for row in line["archs"]] == pytest.approx(expected, abs=1e-6)


def test_archs_are_scored_as_by_the_supernet_of_their_part(in_parts):
  folder, _ = in_parts
  run_dir = jobs.RunDir(folder)
  settings, data, space = setup.reload(run_dir)
  score = scoring.make_scorer(run_dir, settings, data, space, config.ScoreConfig(score_images=64))
  plain = supernet_lib.Supernet(space)
  for arch in [(3, 1, 2, 3, 1, 2), (3, 1, 2, 0, 1, 2), (3, 1, 2, 4, 1, 2), (3, 1, 2, 1, 1, 2)]:
    _restore(plain, folder, 0 if arch[3] in (0, 1) else 1)
    again = scoring.scorer.Scorer(plain, score._batches, score._prepare)
    assert score(arch) == again(arch), arch
  run_dir.close()


def test_complete_parts_are_skipped_and_taken_ones_left_alone(in_parts, tmp_path, no_training):
  folder, told = in_parts
  assert _train(folder) == told
  run = shutil.copytree(folder, tmp_path / "run")
  (run / "supernet" / "part_0" / "checkpoint.npz").unlink()
  with run_directory.lock(run / "supernet" / "part_0"):
    assert [part["row"] for part in _train(run)] == [None, told[1]["row"]]


def test_a_run_with_a_part_missing_is_not_searched(in_parts, tmp_path):
  run = shutil.copytree(in_parts[0], tmp_path / "run")
  (run / "supernet" / "part_1" / "checkpoint.npz").unlink()
  run_dir = jobs.RunDir(run)
  with pytest.raises(errors.InputError, match="Part 1 of the supernet of .* step 0 of all"):
    jobs.run_search(run_dir, config.SearchConfig())
  run_dir.close()


def test_other_parts_and_one_supernet_are_refused(in_parts, no_training):
  other = config.FewShotConfig(few_shot_decision=3, few_shot_groups="0;1;2,3,4")
  with pytest.raises(errors.InputError, match="few_shot_groups='0,1;2,3,4' there, '0;1;2,3,4' he"):
    _train(in_parts[0], other)
  run_dir = jobs.RunDir(in_parts[0])
  with pytest.raises(errors.InputError, match="few_shot_decision=3 there, None here"):
    jobs.train_supernet(run_dir, DATA, SPACE, SUPERNET, DEVICES)
  run_dir.close()


def test_ms_cannot_split_the_decision_that_is_cut(tmp_path, no_training):
  settings = config.SupernetConfig(split_decision=3)
  with pytest.raises(errors.InputError, match="`split_decision`.* Received: 3"):
    _train(tmp_path, supernet=settings)
  assert not (tmp_path / "config.json").exists()


def test_parts_begin_with_the_weights_that_are_given(one_shot, tmp_path, monkeypatch):
  begun = []

  def look(model, *args):
    begun.append([ops.convert_to_numpy(v) for v in model.trainable_variables])
    assert not any(ops.convert_to_numpy(slot).any() for slot in model.optimizer.slots)
    raise KeyboardInterrupt

  monkeypatch.setattr(loop, "fit", look)
  cut = config.FewShotConfig(init_from=str(one_shot))
  with pytest.raises(KeyboardInterrupt):
    _train(tmp_path, cut)
  (tmp_path / "supernet" / "part_0" / "checkpoint.npz").write_text("")
  source = jobs.RunDir(one_shot)
  settings, _, space = setup.reload(source)
  expected = trained.load_supernet(source, settings, space).trainable_variables
  source.close()
  for value, weight in zip(begun[0], expected, strict=True):
    np.testing.assert_array_equal(value, ops.convert_to_numpy(weight))
  with pytest.raises(errors.InputError, match="init_from='.{16}' there, '' here"):
    _train(tmp_path, config.FewShotConfig())


@pytest.mark.parametrize("source,expected", [
    ("none", "`init_from` must hold a run with a supernet. Received: .*none"),
    ("parts", "`init_from` must hold one supernet. Received: .*, in parts"),
    ("other", "must be of the same space, channels=2. Received: .*, channels=4"),
])
def test_weights_of_other_runs_are_refused(in_parts, one_shot, tmp_path, source, expected):
  path = {"none": tmp_path / "none", "parts": in_parts[0], "other": tmp_path / "other"}[source]
  if source == "other":
    shutil.copytree(one_shot, path)
    text = (path / "config.json").read_text()
    (path / "config.json").write_text(text.replace('"channels": 2', '"channels": 4'))
  with pytest.raises(errors.InputError, match=expected):
    _train(tmp_path / "run", config.FewShotConfig(init_from=str(path)))
  assert not (tmp_path / "run" / "config.json").exists()


def test_the_split_of_a_supernet_is_one_for_few_shot(one_shot, tmp_path):
  run_dir = jobs.RunDir(shutil.copytree(one_shot, tmp_path / "run"))
  shown = []
  found = jobs.run_split(
      run_dir, config.SplitConfig(gradient_paths=2), lambda *args: shown.append(args))
  assert shown == [(1, 2), (2, 2)]
  assert json.loads((run_dir.path / "split.json").read_text()) == found
  scores = [row["score"] for row in found["decisions"]]
  assert len(scores) == 6 and scores == sorted(scores, reverse=True) and scores[0] > 0
  best = found["decisions"][0]
  assert found["flags"] == [
      f"--few_shot_decision={best['decision']}", f"--few_shot_groups={best['groups']}"]
  space = setup.make_space(SPACE, setup.load_data(DATA))
  parts = spaces.make_parts(space, best["decision"], best["groups"])
  assert sorted(map(len, parts.groups)) == [2, 3]
  distances = np.array(best["distances"])
  across = distances[np.ix_(*parts.groups)].sum()
  assert across == pytest.approx(best["score"])
  assert distances.sum() / 2 - across == pytest.approx(best["within"])
  run_dir.close()
