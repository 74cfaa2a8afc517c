"""What a job refuses is refused before it writes or trains, so that the right command works there.
"""

import dataclasses
import json

import pytest

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas.jobs import scoring
from tfdynnas.jobs import setup
from tfdynnas.training import loop

DATA = config.DataConfig(dataset="digits")
SPACE = config.SpaceConfig(channels=2, cells=1)
SUPERNET = config.SupernetConfig(epochs=1, batch=128, pad=1, flip=False)
LATER = (config.SearchConfig(), config.SubnetConfig(), config.ExportConfig())


@pytest.fixture
def no_training(monkeypatch):
  """Each training that begins is a failure."""
  monkeypatch.setattr(loop, "fit", lambda *args: pytest.fail("A training began"))


@pytest.mark.parametrize("search, subnet, export, message", [
    ({"max_params": 10}, {}, {}, "params"),
    ({"fix": "0=conv_9x9"}, {}, {}, "conv_9x9"),
    ({"latency_table": "nowhere.json"}, {}, {}, "nowhere.json"),
    ({}, {}, {"inherited": True}, "`inherited` exports a network that is not trained"),
    ({}, {"arch": "#15625"}, {}, "15625"),
    ({}, {}, {"export_dir": "/dev/null"}, "/dev/null must be a folder"),
])
def test_what_later_jobs_refuse_is_known_before_the_supernet_is_trained(
    tmp_path, no_training, search, subnet, export, message):
  run_dir = jobs.RunDir(tmp_path / "run", create=True)
  later = (config.SearchConfig(**search), config.SubnetConfig(**subnet),
           config.ExportConfig(**export))
  with pytest.raises(errors.InputError, match=message):
    jobs.train_supernet(run_dir, DATA, SPACE, SUPERNET, config.DeviceConfig(),
                        check=jobs.later_jobs(run_dir, *later))
  assert not (tmp_path / "run").exists()


def test_what_a_later_part_refuses_is_known_before_the_first_is_trained(tmp_path, no_training):
  # The least complexity is that of no convolution, so the part of 3x3 has no arch of it.
  space = setup.make_space(SPACE, setup.load_data(DATA))
  least, parts = space.bounds("complexity")[0], config.FewShotConfig(few_shot_groups="0,1,2,4;3")
  supernet = config.SupernetConfig(sampler="budget", budget=f"complexity:{least}-{least}")
  run_dir = jobs.RunDir(tmp_path / "run", create=True, shared=True)
  with pytest.raises(errors.InputError, match="Each range must hold an arch"):
    jobs.train_few_shot(run_dir, DATA, SPACE, supernet, parts, config.DeviceConfig())
  assert not (tmp_path / "run").exists()


def _changed(settings, **values):
  return dataclasses.replace(settings, **values)


def _no_memory(*args):
  def scorer(arch):
    raise MemoryError
  return scorer


@pytest.mark.parametrize("job, settings", [
    (jobs.run_search, config.SearchConfig(trials=2, population=2, mutants=1, crossovers=1)),
    (jobs.run_rank, config.RankConfig(archs="#0,#1"))])
def test_scores_that_do_not_fit_the_memory_begin_nothing(run_dir, monkeypatch, job, settings):
  before = sorted(run_dir.path.rglob("*"))
  with monkeypatch.context() as harm, pytest.raises(MemoryError):
    harm.setattr(scoring, "make_scorer", _no_memory)
    job(run_dir, _changed(settings, calibration=800))
  assert sorted(run_dir.path.rglob("*")) == before
  job(run_dir, settings)


def test_a_subnet_that_is_refused_tells_and_writes_nothing(run_dir, no_training):
  told, before = [], sorted(run_dir.path.rglob("*"))
  (run_dir.path / "supernet" / "checkpoint.npz").rename(run_dir.path / "apart")
  with pytest.raises(errors.InputError, match="must be trained to the end"):
    jobs.train_subnet(
        run_dir, config.SubnetConfig(arch="#1462", inherit=True), tell=told.append)
  (run_dir.path / "apart").rename(run_dir.path / "supernet" / "checkpoint.npz")
  assert told == [] and sorted(run_dir.path.rglob("*")) == before
  (run_dir.path / "subnet_1462").write_text("")
  with pytest.raises(errors.InputError, match="subnet_1462 must be a folder"):
    jobs.train_subnet(run_dir, config.SubnetConfig(arch="#1462"))


@pytest.mark.parametrize("settings", [{"score_images": 1}, {"calibration": 1}])
def test_statistics_of_one_image_are_refused(settings):
  with pytest.raises(errors.InputError, match="must be 0 or >= 2: statistics are of several"):
    config.ScoreConfig(**settings)
  config.ScoreConfig(**{**settings, "calibration": 2})


def test_a_training_that_diverges_at_once_leaves_the_folder_to_another(tmp_path):
  run_dir = jobs.RunDir(tmp_path / "run", create=True)
  wrong = config.SupernetConfig(epochs=9, batch=64, learning_rate=1e15, max_norm=0)
  with pytest.raises(errors.DivergedError):
    jobs.train_supernet(run_dir, DATA, SPACE, wrong, config.DeviceConfig())
  run_dir.close()
  run_dir = jobs.RunDir(tmp_path / "run", create=True)
  jobs.train_supernet(run_dir, DATA, SPACE, SUPERNET, config.DeviceConfig(),
                      check=jobs.later_jobs(run_dir, *LATER))
  assert json.loads((run_dir.path / "config.json").read_text())["supernet"]["batch"] == 128
