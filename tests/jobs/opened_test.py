"""One way, two doors: a run of Python is the tools', and a run of the jobs opens as objects."""

import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import tfdynnas as nas
from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas import search as search_lib
from tfdynnas.spaces import costs

SPACE = nas.spaces.nasbench201(channels=2, cells=1, image_size=8)
LIMITS = {"params": 4_000}
SETTINGS = search_lib.Settings(population=3, generations=1, parents=2, mutants=2, crossovers=1)
ASKED = config.SearchConfig(
    trials=4, population=3, parents=2, mutants=2, crossovers=1, max_params=4_000)


@pytest.fixture(scope="module")
def data():
  return nas.data.digits()


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
  """(supernet, folder): a run that Python trained; not to be changed."""
  folder = tmp_path_factory.mktemp("python") / "run"
  supernet = nas.Supernet(SPACE)
  supernet.compile(nas.MS(nas.CaLR(0.05)), method=nas.SinglePath())
  supernet.fit(data, epochs=1, batch_size=128, run_dir=folder, verbose=0)
  return supernet, folder


@pytest.fixture
def folder(run, tmp_path):
  """A copy of the run, which may be changed."""
  return shutil.copytree(run[1], tmp_path / "run")


def _search(run, data, folder, **settings):
  return nas.EvolutionSearch(run[0], data, directory=str(folder), **{
      "limits": LIMITS, "max_trials": 4, "settings": SETTINGS, **settings})


def _files(folder):
  """The trials and what was found, as JSON."""
  paths = [*folder.glob("search/trial_*/trial.json"), folder / "search" / "found.json"]
  return {str(path.relative_to(folder)): json.loads(path.read_text()) for path in paths}


def test_a_search_of_python_is_that_of_the_job(run, data, folder, tmp_path):
  other = shutil.copytree(run[1], tmp_path / "job")
  search = _search(run, data, folder, max_trials=2)
  search.search()
  job = jobs.RunDir(other)
  found, history = jobs.run_search(job, ASKED)
  job.close()
  assert _files(folder).keys() < _files(other).keys()
  run_dir = jobs.RunDir(folder)  # The job goes on with what Python began, as it was asked there.
  asked = config.SearchConfig(**{**config.stored_search(folder), "trials": 4})
  assert asked == ASKED
  assert jobs.run_search(run_dir, asked) == (found, history) and len(history) == 4
  run_dir.close()
  mine, theirs = (_files(path) for path in (folder, other))
  assert mine.keys() == theirs.keys() and mine["search/found.json"] == theirs["search/found.json"]
  search = _search(run, data, other)  # And the other way round.
  assert search.done == 4 and search.history() == history


def test_a_run_opens_as_objects(run, data, folder):
  _search(run, data, folder).search()
  opened = nas.open_run(folder)
  assert nas.spaces.to_config(opened.space) == nas.spaces.to_config(SPACE)
  assert opened.data.record["fingerprint"] == data.record["fingerprint"]
  images = (data.test.images[:8] - data.mean) / data.std
  arch = opened.found["arch"]
  np.testing.assert_array_equal(opened.supernet(images, arch=arch), run[0](images, arch=arch))
  assert list(opened.search.best()[0]) == arch and opened.search.oracle.max_trials == 4
  assert opened.report.name == "report.html"
  with pytest.raises(errors.InputError, match="subnet/result.json: train the network first"):
    opened.network
  run_dir = jobs.RunDir(folder)
  with pytest.raises(errors.InputError, match="in use by another process"):
    opened.search  # Made while a job works there.
  jobs.train_subnet(run_dir, config.SubnetConfig(subnet_epochs=1, subnet_batch=128))
  run_dir.close()
  assert isinstance(opened.network, keras.Model) and opened.network.predict(
      images, verbose=0).shape == (8, 10)


def test_opening_imports_no_back_end(run):
  code = (f"import sys, tfdynnas as nas; run = nas.open_run({str(run[1])!r}); run.space.count\n"
          "assert not {'keras', 'tensorflow', 'keras_tuner'} & set(sys.modules)")
  done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr


def test_what_is_not_there_yet_says_what_makes_it(run, tmp_path):
  opened = nas.open_run(run[1])
  with pytest.raises(errors.InputError, match="found.json: search it first"):
    opened.found
  with pytest.raises(errors.InputError, match="must be searched first"):
    opened.search
  with pytest.raises(errors.InputError, match="`run_dir` must hold a run"):
    nas.open_run(tmp_path)


def _other_weights(run):
  return nas.Supernet(SPACE, seed=5)


@pytest.mark.parametrize("change, message", [
    ({"supernet": _other_weights}, "`supernet` must be that of .* other weights"),
    ({"data": lambda run: nas.data.digits(seed=3)}, "`data` must be that of .* other images"),
    ({"kind": nas.RandomSearch}, "EvolutionSearch or ParetoSearch; .* Received: RandomSearch"),
    ({"settings": search_lib.Settings(tries=3)}, "asked for; .*tries=10 there, 3 here"),
    ({"limits": {"complexity": 9_000}}, "limits.complexity=None there, 9000 here"),
    ({"space": costs.with_latency(SPACE, 1.0, [[1.0] * 5] * 6)}, "costs.latency=None there"),
])
def test_what_the_run_cannot_record_is_refused_and_leaves_nothing(
    run, data, folder, change, message):
  kind = change.get("kind", nas.EvolutionSearch)
  supernet = change["supernet"](run) if "supernet" in change else run[0]
  images = change["data"](run) if "data" in change else data
  more = {"settings": SETTINGS} if kind is nas.EvolutionSearch else {}
  more.update((key, change[key]) for key in ("settings", "limits", "space") if key in change)
  with pytest.raises(errors.InputError, match=message):
    kind(supernet, images, max_trials=4, directory=str(folder), **more)
  assert not (folder / "search").exists()


def test_another_project_in_the_folder_is_not_the_runs_search(run, data, folder):
  search = nas.RandomSearch(run[0], data, max_trials=2, directory=str(folder), project_name="other")
  search.search()
  assert search.done == 2 and not (folder / "search").exists()
