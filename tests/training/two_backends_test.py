"""TensorFlow and JAX compute the same: each method's ten steps, checkpoints, and scores."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

CASE = pathlib.Path(__file__).with_name("backend_case.py")
CASES = [
    "spos", "spos_calr_ms", "spos_frozen", "fairnas", "fairnas_calr_ms", "few_shot",
    "few_shot_calr_ms", "sandwich", "pa",
]
RUNS = {  # Name -> (back end, how far the initial weights are moved, seed of that).
    "tensorflow": ("tensorflow", 0, 0), "jax": ("jax", 0, 0),
    "nudged": ("tensorflow", 1e-7, 1), "nudged_too": ("tensorflow", 1e-7, 2),
}


def train(folder, name, stop=0):
  backend, nudge, seed = RUNS[name]
  folder.mkdir(exist_ok=True)
  environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
  done = subprocess.run(
      [sys.executable, str(CASE), str(folder), str(nudge), str(seed), str(stop)],
      env=environment, capture_output=True, text=True, check=False,
  )
  assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
  pytest.importorskip("jax", reason="the extra `jax` is not installed")
  folder = tmp_path_factory.mktemp("backends")
  for name in RUNS:
    train(folder / name, name)
  for first, then in (("tensorflow", "jax"), ("jax", "tensorflow")):
    train(folder / f"{then}_after_{first}", first, stop=7)  # Its last checkpoint is of step 6.
    train(folder / f"{then}_after_{first}", then)
  return folder


def state(folder, case, kind):
  with np.load(folder / case / "checkpoint.npz") as arrays:
    return np.concatenate([
        arrays[name].ravel().astype(np.float64) for name in sorted(arrays.files)
        if name.startswith(kind)
    ])


def apart(ran, one, two, case, kind):
  return np.sqrt(np.mean((state(ran / one, case, kind) - state(ran / two, case, kind)) ** 2))


@pytest.mark.parametrize("kind", ["model/", "optimizer/", "metric/"])
@pytest.mark.parametrize("case", CASES)
def test_ten_steps_are_as_close_as_those_of_weights_that_differ_by_1e_7(ran, case, kind):
  tensorflow = "tensorflow", "nudged", "nudged_too"
  # A relu whose input is within rounding of 0 sets any of the runs apart from all others.
  bound = max(apart(ran, a, b, case, kind) for a in tensorflow for b in tensorflow)
  for name in ("jax", "jax_after_tensorflow", "tensorflow_after_jax"):
    assert apart(ran, "tensorflow", name, case, kind) <= 1.05 * bound
  assert bound < 0.1 * np.abs(state(ran / "tensorflow", case, kind)).max()


def test_checkpoints_hold_the_same_names_and_a_training_has_moved(ran):
  for case in CASES:
    files = [np.load(ran / name / case / "checkpoint.npz").files for name in ("tensorflow", "jax")]
    assert files[0] == files[1] and len(files[0]) > 30
  moved = state(ran / "jax", "spos", "model/") - state(ran / "jax", "fairnas", "model/")
  assert np.abs(moved).max() > 0.01


def test_scores_of_fifty_archs_agree(ran):
  one, two = (np.load(ran / name / "scores.npy") for name in ("tensorflow", "jax"))
  assert len(one) == 50 and len({tuple(row) for row in one}) > 30
  np.testing.assert_array_equal(one[:, 0], two[:, 0])
  np.testing.assert_allclose(one[:, 1], two[:, 1], rtol=1e-5)
