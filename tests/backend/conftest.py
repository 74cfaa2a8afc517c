"""Every method's training on JAX, shared by the tests that compare others with them."""

import pytest

from tests.backend import processes


@pytest.fixture(scope="session")
def jax_runs(tmp_path_factory):
  """Folder of runs of `backend_case`, with `jax`."""
  pytest.importorskip("jax", reason="the extra `jax` is not installed")
  folder = tmp_path_factory.mktemp("backends")
  processes.train_on_jax(folder, "jax")
  return folder
