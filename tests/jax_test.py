"""The core is Keras, not TensorFlow: its tests pass on Keras' JAX back end too."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
CORE = [
    "tests/spaces", "tests/supernet/supernet_test.py", "tests/training/calr_test.py",
    "tests/training/ms_test.py", "tests/training/sampler_test.py",
    "tests/training/by_complexity_test.py",
    "tests/training/fit_test.py::test_fit_evaluate_save_load_and_go_on",
    "tests/training/fit_test.py::test_a_step_trains_the_arch_of_its_number_in_its_group",
    "tests/training/fit_test.py::test_moved_weights_off_the_path_decay_by_exactly_l2",
]


def test_core_on_jax():
  pytest.importorskip("jax", reason="the extra `jax` is not installed")
  environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
  run = subprocess.run(
      [sys.executable, "-m", "pytest", "-q", "-x", *CORE], cwd=ROOT, env=environment,
      capture_output=True, text=True, check=False,
  )
  assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
