"""The core is Keras, not TensorFlow: its tests pass on Keras' JAX back end too."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# A process for each, since JAX keeps what it has compiled.
CORE = {
    "spaces and supernet": ["tests/spaces", "tests/supernet/supernet_test.py", "-k=not one_image"],
    "one image": ["tests/supernet/supernet_test.py", "-k=one_image"],
    "training": [
        "tests/optimizers/calr_test.py", "tests/optimizers/ms_test.py",
        "tests/sampling/sampler_test.py", "tests/sampling/by_complexity_test.py",
        "tests/training/fit_test.py::test_fit_evaluate_save_load_and_go_on",
        "tests/training/fit_test.py::test_a_step_trains_the_arch_of_its_number_in_its_group",
        "tests/training/fit_test.py::test_moved_weights_off_the_path_decay_by_exactly_l2",
    ],
}


@pytest.mark.parametrize("core", CORE)
def test_core_on_jax(core):
  pytest.importorskip("jax", reason="the extra `jax` is not installed")
  environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
  run = subprocess.run(
      [sys.executable, "-m", "pytest", "-q", "-x", *CORE[core]], cwd=ROOT, env=environment,
      capture_output=True, text=True, check=False,
  )
  assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
