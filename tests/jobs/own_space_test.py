"""A space of the user's own through the whole chain, as its guide has it."""

import json
import pathlib
import re
import sys

import pytest
import tensorflow as tf

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas.jobs import setup

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "guides" / "space.md"
SPACE = config.SpaceConfig(space="my_space:make_space", channels=2)
TRAINING = (config.SupernetConfig(epochs=1, batch=128, pad=1), config.DeviceConfig())
SCORE = {"score_images": 64, "score_batch": 32}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """A working directory with the module of the guide, `my_space.py`."""
  path = tmp_path_factory.mktemp("own")
  (module,) = re.findall(r"^```python\n# my_space\.py\n(.*?)^```$", GUIDE.read_text("utf-8"),
                         re.MULTILINE | re.DOTALL)
  (path / "my_space.py").write_text(module)
  return path


@pytest.fixture
def here(folder, monkeypatch):
  """The same, as the working directory."""
  monkeypatch.chdir(folder)
  monkeypatch.setattr(sys, "dont_write_bytecode", True)
  yield folder
  sys.modules.pop("my_space", None)


def _train(path, space=SPACE, check=setup.unchecked):
  run_dir = jobs.RunDir(path, create=True)
  try:
    jobs.train_supernet(run_dir, config.DataConfig(dataset="digits"), space, *TRAINING,
                        check=check)
  finally:
    run_dir.close()


def test_the_chain_ends_in_a_servable_though_the_module_is_gone(here, monkeypatch):
  run = here / "run"
  later = config.SearchConfig(trials=4, population=2, mutants=1, crossovers=1, **SCORE)
  _train(run, check=jobs.later_jobs(
      jobs.RunDir(run, create=True), later, config.SubnetConfig(), config.ExportConfig()))
  sys.modules.pop("my_space")
  monkeypatch.chdir(here.parent)
  run_dir = jobs.RunDir(run)
  found, _ = jobs.run_search(run_dir, later)
  ranked = jobs.run_rank(run_dir, config.RankConfig(archs="sample:3", **SCORE))
  result = jobs.train_subnet(run_dir, config.SubnetConfig(subnet_epochs=1))
  servable = jobs.export_subnet(run_dir, config.ExportConfig())
  assert jobs.find_servable(run_dir, config.ExportConfig()) == servable
  more = config.ExportConfig(format=("saved_model", "onnx"))
  assert jobs.find_servable(run_dir, more) is None  # It has no file for devices yet.
  newest = jobs.export_subnet(run_dir, more)
  assert jobs.find_servable(run_dir, more) == newest and (newest / "model.onnx").exists()
  _check_inherited(run_dir, result)
  assert jobs.run_report(run_dir).exists()
  run_dir.close()
  space = setup.stored_space(run_dir.config())
  assert space.parse(found["string"]) == tuple(result["arch"]) and ranked["ranked"]["count"] == 3
  assert json.loads((servable / "arch.json").read_text())["space"] == space.name == "mine"
  assert "my_space" not in sys.modules
  monkeypatch.chdir(here)
  _check_refused(here, run)


def _check_inherited(run_dir, trained):
  """The supernet's weights go out as they are; the card says so, and how good they are."""
  wanted = config.ExportConfig(inherited=True, name="inherited")
  servable = jobs.export_subnet(run_dir, wanted)
  stored = json.loads((servable / "arch.json").read_text())
  assert stored["inherited"].startswith("its weights are those of the supernet")
  assert "those of the supernet" in (servable / "model_card.md").read_text()
  assert stored["arch"] == trained["arch"]
  test = setup.reload(run_dir).data.test
  endpoint = tf.saved_model.load(str(servable)).signatures["serving_default"]
  found = endpoint(image=tf.constant(test.images, tf.float32))["class_id"].numpy()
  assert stored["accuracies"]["test"] == pytest.approx((found == test.labels).mean())


def _check_refused(here, run):
  """A run goes on with its own space alone: of the function as it was, and of its size."""
  _train(run)
  with pytest.raises(errors.InputError, match="same run.* channels=2 there, 4 here"):
    _train(run, config.SpaceConfig(space="my_space:make_space", channels=4))
  with pytest.raises(errors.InputError, match="same run.* space='my_space:make_space' there"):
    _train(run, config.SpaceConfig(channels=2, cells=1))
  sys.modules.pop("my_space")
  module = here / "my_space.py"
  module.write_text(module.read_text().replace("max_pool", "avg_pool"))
  with pytest.raises(errors.InputError, match="same run.* operations="):
    _train(run)


@pytest.mark.parametrize("space, size, message", [
    ("my_space:make_spaces", {}, "has no attribute 'make_spaces'"),
    ("my_spaces:make_space", {}, "No module named 'my_spaces'"),
    ("my_space:make_space", {"width": 0.5}, "unexpected keyword argument 'width'"),
])
def test_what_is_wrong_is_said_before_anything_is_written(here, space, size, message):
  with pytest.raises(errors.InputError, match=message):
    _train(here / "refused", config.SpaceConfig(space=space, **size))
  assert not (here / "refused").exists()


def test_a_run_whose_record_of_the_space_is_damaged_is_refused():
  stored = {"space": SPACE.as_dict(), "images": {}, "own_space": {"kind": "cells"}}
  with pytest.raises(errors.InputError, match="must hold the space of its run. Received: KeyErr"):
    setup.stored_space(stored)
