"""Trainings of several paths a step, killed in the middle, end in the same bits."""

import signal
import subprocess

import pytest

from tests.tools import launcher
from tfdynnas.training import checkpoint

LAST = 30  # 15 steps per epoch.


def _kill_in_the_middle(folder, *flags):
  """Kills a training that has a checkpoint; returns the step that it goes on from."""
  process = subprocess.Popen(
      launcher.command(*flags), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
  launcher.wait_for(folder / "checkpoint.npz", process)
  process.send_signal(signal.SIGKILL)
  assert process.wait() == -signal.SIGKILL
  return checkpoint.record(folder / "checkpoint.npz")["step"]


@pytest.mark.parametrize("method", [
    ("--method=fairnas",), ("--method=sandwich", "--momentum_groups=shared", "--random_paths=1"),
], ids=lambda flags: flags[0])
def test_killed_in_the_middle_it_ends_in_the_same_bits(tmp_path, method):
  flags = ("train_supernet", *launcher.TRAIN, *method)
  launcher.succeed(*flags, f"--run_dir={tmp_path / 'unharmed'}")
  killed = tmp_path / "killed"
  assert 0 < _kill_in_the_middle(killed / "supernet", *flags, f"--run_dir={killed}") < LAST
  launcher.succeed(*flags, f"--run_dir={killed}")
  unharmed, left = (launcher.training(tmp_path / name / "supernet") for name in
                    ("unharmed", "killed"))
  assert left[1]["step"] == LAST and not launcher.difference(unharmed, left)
