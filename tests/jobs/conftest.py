"""What tests of jobs share."""

import shutil

import pytest

from tfdynnas import jobs


@pytest.fixture
def run_dir(trained, tmp_path):
  """A copy of the run that the test's module trained, opened; it may be changed."""
  found = jobs.RunDir(shutil.copytree(trained, tmp_path / "run"))
  yield found
  found.close()
