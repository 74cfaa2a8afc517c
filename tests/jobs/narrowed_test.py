"""A run of fewer choices, `--fix`: trained, ranked and searched among what is left."""

import csv
import json

import numpy as np
import pytest

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas import spaces

FIX = "0=nor_conv_3x3,*!=avg_pool_3x3"
SPACE = spaces.nasbench201(channels=2, cells=1, image_size=8)
LEFT = SPACE.restrict([(3,), *[(0, 1, 2, 3)] * 5])
SCORE = {"score_images": 64, "score_batch": 32}
SEARCH = {"trials": 6, "population": 3, "parents": 2, "mutants": 1, "crossovers": 1, **SCORE}
TRAINING = (config.DataConfig(dataset="digits"), config.SupernetConfig(
    epochs=1, batch=128, pad=1, flip=False), config.DeviceConfig())


def _train(path, fix, create=True):
  data, supernet, devices = TRAINING
  run_dir = jobs.RunDir(path, create=create)
  try:
    jobs.train_supernet(
        run_dir, data, config.SpaceConfig(channels=2, cells=1, fix=fix), supernet, devices)
  finally:
    run_dir.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
  """Path of a run that was trained on what is left; not to be changed."""
  path = tmp_path_factory.mktemp("trained") / "run"
  _train(path, FIX)
  return path


def _archs(run_dir, name):
  with open(run_dir.path / name, newline="") as file:
    return [SPACE.parse(row["string"]) for row in csv.DictReader(file)]


def test_the_run_is_what_is_left(trained):
  method = json.loads((trained / "supernet" / "method.json").read_text())
  assert method["groups"] == 4 and method["split_decision"] > 0
  assert method["bounds"]["complexity"] == [
      SPACE.cost((3, 0, 0, 0, 0, 0), "complexity"), SPACE.cost((3,) * 6, "complexity")]
  for fix in ("", "0=nor_conv_3x3"):
    with pytest.raises(errors.InputError, match="same run.* fix"):
      _train(trained, fix, create=False)


def test_a_rule_that_says_nothing_claims_no_folder(tmp_path):
  with pytest.raises(errors.InputError, match="`fix` names choices"):
    _train(tmp_path / "run", "0=pool")
  assert not (tmp_path / "run" / "config.json").exists()


def test_a_run_that_was_begun_before_there_was_a_choice_is_whole(run_dir):
  path = run_dir.path / "config.json"
  stored = json.loads(path.read_text())
  del stored["space"]["fix"]
  path.write_text(json.dumps(stored))
  assert jobs.setup.stored_space(run_dir.config()).count == 15625


def test_ranks_are_of_what_is_left(run_dir, tmp_path):
  jobs.run_rank(run_dir, config.RankConfig(archs="sample:5", **SCORE))
  assert all(map(LEFT.allows, _archs(run_dir, "rank/ranking.csv")))
  fix = "1=nor_conv_3x3,2=nor_conv_3x3,3=nor_conv_3x3,4=nor_conv_3x3,5=none+nor_conv_3x3"
  found = jobs.run_rank(run_dir, config.RankConfig(archs="all", fix=fix, **SCORE))
  assert _archs(run_dir, "rank/ranking.csv") == [(3, 3, 3, 3, 3, 0), (3,) * 6]
  assert found["ranked"]["count"] == 2 and found["ranked"]["fix"] == fix
  with pytest.raises(errors.InputError, match="`1<-0` of this space is left nor_conv_3x3"):
    jobs.run_rank(run_dir, config.RankConfig(archs="#0", **SCORE))
  table, subset = tmp_path / "t.npz", np.array([0, SPACE.index((3, 0, 0, 1, 0, 1))])
  np.savez(table, digits_test=np.full(15625, 50.0, np.float32), ranking_subset=subset)
  with pytest.raises(errors.InputError, match=">= 2 archs .* Received: 1"):  # Of the two.
    jobs.run_rank(run_dir, config.RankConfig(table=str(table), **SCORE))


def test_searches_are_of_what_is_left_and_may_leave_less(run_dir):
  _, history = jobs.run_search(run_dir, config.SearchConfig(fix="5=skip_connect", **SEARCH))
  archs = [row["arch"] for row in history]
  assert len(archs) == 6 and all(map(LEFT.allows, archs)) and {arch[5] for arch in archs} == {1}
  with pytest.raises(errors.InputError, match="left.3<-2='skip_connect' there, 'none"):
    jobs.run_search(run_dir, config.SearchConfig(**SEARCH))
  with pytest.raises(errors.InputError, match="must leave decision `1<-0` a choice"):
    jobs.run_search(run_dir, config.SearchConfig(fix="0=none", **SEARCH))


def test_a_network_that_is_named_is_of_what_is_left(run_dir):
  with pytest.raises(errors.InputError, match="of this space is left"):
    jobs.train_subnet(run_dir, config.SubnetConfig(arch="#0"))
