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
]


def test_core_on_jax():
  pytest.importorskip("jax", reason="the extra `jax` is not installed")
  environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
  run = subprocess.run(
      [sys.executable, "-m", "pytest", "-q", "-x", *CORE], cwd=ROOT, env=environment,
      capture_output=True, text=True, check=False,
  )
  assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
