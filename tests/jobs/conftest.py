"""What tests of jobs share."""

import shutil

import pytest

from tfdynnas import config
from tfdynnas import jobs


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
  """Path of a run whose supernet is trained, for modules without one; not to be changed."""
  run_dir = jobs.RunDir(tmp_path_factory.mktemp("trained") / "run", create=True)
  jobs.train_supernet(
      run_dir, config.DataConfig(dataset="digits"), config.SpaceConfig(channels=2, cells=1),
      config.SupernetConfig(epochs=1, batch=128, pad=1, flip=False), config.DeviceConfig())
  run_dir.close()
  return run_dir.path


@pytest.fixture
def run_dir(trained, tmp_path):
  """A copy of `trained`, opened; it may be changed."""
  found = jobs.RunDir(shutil.copytree(trained, tmp_path / "run"))
  yield found
  found.close()
