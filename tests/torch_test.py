"""On Keras' PyTorch back end the model, its `fit`, CaLR and MS compute what TensorFlow does."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.backend import torch_case

ROOT = pathlib.Path(__file__).parents[1]
CORE = [
    "tests/spaces", "tests/supernet/supernet_test.py", "tests/optimizers/calr_test.py",
    "tests/optimizers/ms_test.py", "tests/optimizers/current_subnet_test.py",
    "tests/optimizers/keras_contract_test.py", "tests/sampling/sampler_test.py",
    "tests/sampling/by_complexity_test.py", "tests/sampling/by_budget_test.py",
    "tests/training/fit_test.py::test_fit_evaluate_save_load_and_go_on",
    "tests/training/fit_test.py::test_a_step_trains_the_arch_of_its_number_in_its_group",
    "tests/training/fit_test.py::test_moved_weights_off_the_path_decay_by_exactly_l2",
    "tests/training/fit_test.py::test_fit_without_a_method_says_what_is_missing",
]
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None or keras.backend.backend() != "tensorflow",
    reason="torch is not installed, or not compared with TensorFlow",
)


def on_torch(*arguments):
  environment = {
      **os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT),
      "OMP_NUM_THREADS": "1",  # More wait for each other where images are so small.
  }
  run = subprocess.run(
      [sys.executable, *map(str, arguments)], cwd=ROOT, env=environment, capture_output=True,
      text=True, check=False,
  )
  assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
  return run.stdout


def test_core():
  on_torch("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *CORE)


def test_logits_and_steps_are_those_of_tensorflow(tmp_path):
  on_torch(torch_case.__file__, tmp_path / "torch.npz")
  torch_case.run(tmp_path / "tensorflow.npz")
  with np.load(tmp_path / "torch.npz") as found, np.load(tmp_path / "tensorflow.npz") as expected:
    assert found.files == expected.files and len(found.files) > 150
    for name in expected.files:
      np.testing.assert_allclose(found[name], expected[name], atol=1e-5, err_msg=name)
