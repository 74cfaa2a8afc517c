"""Two devices against one that normalises each half batch on its own."""

import numpy as np
import pytest

from tests.backend.processes import result


@pytest.mark.parametrize("how, method, space", [
    ("mirrored", "plain", "five"), ("fit", "calr+ms", "five"),
    ("mirrored", "calr+ms+frozen", "ten"), ("mirrored", "fairnas+ms+frozen", "five"),
    ("mirrored", "calr+ms+frozen", "layers"),
])
def test_two_devices_equal_the_reference(tmp_path, how, method, space):
  two = result(tmp_path, how, method, space)
  one = result(tmp_path, "reference", method, space)
  near = result(tmp_path, "reference", method, space, 1e-7)
  assert set(two) == set(one)
  far = {name: np.abs(one[name] - near[name]).max() for name in one}
  bound = max(far.values())
  assert 0 < bound < 1e-2
  for name in one:
    assert np.abs(two[name] - one[name]).max() <= bound, name
  moved = [np.ptp(one[name]) for name in one if "momentum" in name]
  assert min(moved) > 0
