"""Trainings of many paths a step, on crops, or on two devices, killed, end in the same bits."""

import signal

import numpy as np
import pytest
from PIL import Image

from tests.tools import launcher
from tfdynnas.training import checkpoint


def _kill_in_the_middle(folder, *flags):
  """Kills a training that has a checkpoint; returns the step that it goes on from."""
  process = launcher.start(*flags)
  launcher.wait_for(folder / "checkpoint.npz", process)
  process.send_signal(signal.SIGKILL)
  assert process.wait() == -signal.SIGKILL
  return checkpoint.record(folder / "checkpoint.npz")["step"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
  """Folder of JPEGs of two classes and of several sizes."""
  folder, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
  for number in range(480):
    coarse = rng.integers(0, 256, [4, 5, 3], np.uint8)
    place = folder / f"class{number % 2}" / f"{number}.jpg"
    place.parent.mkdir(exist_ok=True)
    Image.fromarray(coarse).resize(rng.integers(24, 64, 2).tolist()).save(place)
  return folder


def _flags(kind, photographs):
  if kind == "crops":
    return ("--dataset=", f"--image_dir={photographs}", "--image_size=16", "--crop=resized",
            "--jitter=0.4", "--jitter_hue=0.1", "--batch=16", "--data_seed=1")
  if kind == "sandwich on two devices":
    return ("--method=sandwich", "--momentum_groups=shared", "--random_paths=1",
            "--devices=CPU:0,CPU:1", "--distribution=mirrored")
  return ("--method=fairnas",)


@pytest.mark.parametrize("kind", ["fairnas", "sandwich on two devices", "crops"])
def test_killed_in_the_middle_it_ends_in_the_same_bits(tmp_path, photographs, kind):
  flags = ("train_supernet", *launcher.TRAIN, *_flags(kind, photographs))
  unharmed, killed = tmp_path / "unharmed", tmp_path / "killed"
  launcher.succeed(*flags, f"--run_dir={unharmed}")
  middle = _kill_in_the_middle(killed / "supernet", *flags, f"--run_dir={killed}")
  launcher.succeed(*flags, f"--run_dir={killed}")
  unharmed, left = (launcher.training(folder / "supernet") for folder in (unharmed, killed))
  assert 0 < middle < left[1]["step"] == 30 and not launcher.difference(unharmed, left)
