"""Two devices against one that normalises each half batch on its own."""

import subprocess
import sys

import numpy as np
import pytest



def result(tmp_path, how, method, space, nudge=0.0):
  path = tmp_path / f"{how}-{nudge}.npz"
  done = subprocess.run(
      [sys.executable, "-m", "tests.training.mirrored_case", how, method, space, str(nudge),
       str(path)],
      capture_output=True, text=True, check=False,
  )
  assert done.returncode == 0, done.stderr[-3000:]
  return dict(np.load(path))


@pytest.mark.parametrize("method, space", [
    ("plain", "five"), ("calr+ms", "five"), ("calr+ms+frozen", "ten"),
    ("fairnas+ms+frozen", "five"), ("calr+ms+frozen", "layers"),
])
def test_two_devices_equal_the_reference(tmp_path, method, space):
  two = result(tmp_path, "mirrored", method, space)
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
