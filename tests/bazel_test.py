"""The same tests under Bazel, where it is installed: the layers must hold as BUILD states them."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.mark.skipif(not shutil.which("bazel"), reason="no bazel (Debian: bazel-bootstrap)")
def test_fast_targets_pass_under_bazel():
  python = pathlib.Path(sys.executable).parent
  result = subprocess.run(
    ["bazel", "test", "--noshow_progress", "//..."], cwd=ROOT, capture_output=True, text=True,
    env=os.environ | {"PATH": f"{python}:{os.environ['PATH']}"})
  assert result.returncode == 0, result.stdout + result.stderr
