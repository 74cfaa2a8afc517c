"""Baselines of a small run: what is trained, kept, gone on with, said and refused."""

import dataclasses
import re

import pytest

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas import spaces
from tfdynnas.jobs import search

SPACE = spaces.nasbench201(channels=2, cells=1, image_size=8)
SEARCH = config.SearchConfig(trials=2, population=2, mutants=1, crossovers=1, max_params=2500,
                             score_images=64, score_batch=32)
SUBNET = config.SubnetConfig(subnet_epochs=1, subnet_batch=256)
TWO = config.BaselineConfig(baselines=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
  """Path of a run whose network found is trained; not to be changed."""
  path = tmp_path_factory.mktemp("trained") / "run"
  run_dir = jobs.RunDir(path, create=True)
  jobs.train_supernet(
      run_dir, config.DataConfig(dataset="digits"), config.SpaceConfig(channels=2, cells=1),
      config.SupernetConfig(epochs=1, batch=256, pad=1, flip=False), config.DeviceConfig())
  jobs.run_search(run_dir, SEARCH)
  jobs.train_subnet(run_dir, SUBNET)
  run_dir.close()
  return path


def _train(run_dir, settings=TWO, subnet=SUBNET, **more):
  return jobs.train_baselines(run_dir, settings, SEARCH, subnet, **more)


def test_a_killed_one_goes_on_and_all_are_trained_alike(run_dir):
  class Killed(Exception):
    pass

  def kill(step, steps, arch, **logs):
    if arch == 2:
      raise Killed

  with pytest.raises(Killed):
    _train(run_dir, progress=kill)
  ended = list(run_dir.path.glob("baselines/*/result.json"))
  assert len(ended) == 1 and not (run_dir.path / "baselines.json").exists()
  before = ended[0].stat().st_mtime_ns
  record = _train(run_dir)
  assert ended[0].stat().st_mtime_ns == before
  assert record == run_dir.read_json("baselines.json") and len(record["randoms"]) == 2
  found, settings = record["found"], SUBNET.identity()
  del settings["arch"]
  for result in record["randoms"]:
    assert result["params"] <= found["params"] and result["macs"] <= found["macs"]
    assert result["settings"] == settings and result["part"] == found["part"] == "test"
  limited = search.limited(SPACE, SEARCH)
  most = max(SPACE.cost(arch, "params") for arch in limited.archs())
  assert (record["largest"] or found)["params"] == most
  trained = {path.parent.name for path in run_dir.path.glob("baselines/*/result.json")}
  others = [*record["randoms"], *filter(None, [record["largest"]])]
  assert trained == {str(SPACE.index(result["arch"])) for result in others}
  with pytest.raises(errors.InputError, match="must be of the same training"):
    _train(run_dir, subnet=dataclasses.replace(SUBNET, subnet_l2=0.0))


def test_what_cannot_be_is_refused(run_dir):
  named = dataclasses.replace(SUBNET, arch="#0")
  with pytest.raises(errors.InputError, match="`baselines` are for the network that the search"):
    jobs.later_jobs(run_dir, SEARCH, named, config.ExportConfig(), TWO)
  jobs.later_jobs(run_dir, SEARCH, named, config.ExportConfig())
  with pytest.raises(errors.InputError, match="`baselines` must be >= 1. Received: -1"):
    config.BaselineConfig(baselines=-1)
  result = run_dir.read_json("subnet/result.json")
  other = next(arch for arch in SPACE.archs() if list(arch) != result["arch"])
  run_dir.write_json("subnet/result.json", {**result, "arch": list(other)})
  with pytest.raises(errors.InputError, match="must hold the network found, .*Received: another"):
    _train(run_dir)
  assert not (run_dir.path / "baselines").exists()


def test_too_few_are_all_taken_and_said(run_dir, monkeypatch):
  monkeypatch.setattr(jobs.baselines.several, "train", lambda *args: args[4])  # The archs alone.
  monkeypatch.setattr(jobs.baselines, "_record", lambda run_dir, others, count: others[:count])
  said = []
  archs = _train(run_dir, config.BaselineConfig(baselines=99_999), tell=said.append)
  assert said == [f"Note: baselines=99999, but no more than {len(archs)} other archs within the "
                  "limits cost at most what the one found does"]
  found = run_dir.read_json("search/found.json")
  limits = {kind: found[kind] for kind in ("params", "macs")}
  within = set(spaces.LimitedSpace(SPACE, limits, connected=True).archs())
  assert set(archs) <= within - {tuple(found["arch"])} and len(archs) >= len(within) - 2


def test_without_a_search_or_a_network_there_is_nothing_to_compare(tmp_path):
  run_dir = jobs.RunDir(tmp_path / "run", create=True)
  with pytest.raises(errors.InputError, match=re.escape("config.json must be whole JSON")):
    _train(run_dir)
