"""One trained, searched and exported run, shared by the tests that only need it to be there."""

import shutil

import pytest

from tests.tools import launcher


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
  """A run directory with a trained supernet; not to be changed."""
  folder = tmp_path_factory.mktemp("trained") / "run"
  launcher.succeed("train_supernet", *launcher.TRAIN, f"--run_dir={folder}")
  return folder


@pytest.fixture(scope="session")
def searched(trained, tmp_path_factory):
  """As `trained`, and searched."""
  folder = _copy(trained, tmp_path_factory.mktemp("searched"))
  launcher.succeed("search", *launcher.SEARCH, f"--run_dir={folder}")
  return folder


@pytest.fixture(scope="session")
def finished(trained, tmp_path_factory):
  """As `trained`, with a trained subnet."""
  folder = _copy(trained, tmp_path_factory.mktemp("finished"))
  launcher.succeed("train_subnet", *launcher.SUBNET, f"--run_dir={folder}",
                   run=launcher.run_alone)
  return folder


@pytest.fixture
def copy(tmp_path):
  """Function that copies a run directory to where it may be changed."""
  return lambda folder, name="run": _copy(folder, tmp_path, name)


def _copy(folder, place, name="run"):
  return shutil.copytree(folder, place / name)
