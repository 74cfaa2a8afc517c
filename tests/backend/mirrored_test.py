"""Two devices against one that normalises each half batch on its own."""

import numpy as np
import pytest

from tests.backend import mirrored_case
from tests.backend import processes

CASES = [
    ("mirrored", "plain", "five"), ("fit", "calr+ms", "five"),
    ("mirrored", "calr+ms+frozen", "ten"), ("mirrored", "fairnas+ms+frozen", "five"),
    ("mirrored", "calr+ms+frozen", "layers"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
  """Folder with what one process on two devices left of every case."""
  folder = tmp_path_factory.mktemp("devices")
  processes.succeed(
      "-m", "tests.backend.mirrored_case", "devices", folder, *map(",".join, CASES))
  return folder


@pytest.mark.parametrize("how, method, space", CASES)
def test_two_devices_equal_the_reference(trained, how, method, space):
  two = processes.arrays(trained, how, method, space)
  one, near = mirrored_case.references(method, space)
  assert set(two) == set(one)
  bound = max(np.abs(one[name] - near[name]).max() for name in one)
  assert 0 < bound < 1e-2
  for name in one:
    assert np.abs(two[name] - one[name]).max() <= bound, name
  moved = [np.ptp(one[name]) for name in one if "momentum" in name]
  assert min(moved) > 0
