"""Tools in a process without TensorFlow, tfds and keras-tuner: JAX, and images of a packed file."""

import csv
import json
import signal
import subprocess

import numpy as np
import pytest

from tests import without_tensorflow
from tests.tools import launcher
from tfdynnas import analysis
from tfdynnas import data

pytest.importorskip("jax", reason="the extra `jax` is not installed")

MODULES = (
    "analysis", "config", "data", "data.feeds", "data.images.augment", "jobs", "methods",
    "optimizers", "sampling", "search", "search.scorer", "serving", "spaces", "supernet",
    "training.loop",
)
TINY = (*launcher.SPACE, "--epochs=2", "--batch=128", "--pad=0", "--checkpoint_steps=3")
STEPS = 16  # 898 images to train on: 8 steps per epoch.
ARCHS = "#0,#7,#23,#26"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
  return without_tensorflow.Without(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
  path = tmp_path_factory.mktemp("packed") / "digits.npz"
  data.pack(path, "digits")
  return f"--data_file={path}"


@pytest.fixture(scope="module")
def trained(world, packed, tmp_path_factory):
  """A run directory with a supernet that was trained there; not to be changed."""
  folder = tmp_path_factory.mktemp("trained") / "run"
  assert f"step {STEPS}," in world.tool("train_supernet", packed, *TINY, f"--run_dir={folder}")
  return folder


@pytest.mark.parametrize("package", ["tensorflow", "tensorflow_datasets", "keras_tuner",
                                     "tensorboard", "sklearn"])
def test_it_is_not_there(world, package):
  result = world.run("-c", f"import {package}")
  assert result.returncode == 1 and f"No module named '{package}'" in result.stderr


def test_packages_and_tools_are_imported(world):
  code = "\n".join(f"import tfdynnas.{module}" for module in MODULES)
  result = world.run("-c", f"{code}\nimport keras; print(keras.backend.backend())")
  assert result.stdout == "jax\n", result.stderr
  for tool in ("train_supernet", "train_few_shot", "rank", "report", "search", "nas", "pack"):
    result = world.run(without_tensorflow.ROOT / "tools" / f"{tool}.py", "--help")
    assert result.returncode == 0 and "--" in result.stdout, tool


def test_a_killed_training_ends_in_the_same_bits(world, packed, trained, tmp_path):
  flags = (packed, *TINY, f"--run_dir={tmp_path}")
  tool = without_tensorflow.ROOT / "tools" / "train_supernet.py"
  process = subprocess.Popen(world.command(tool, *flags), env=world.environment,
                             stderr=subprocess.PIPE)
  while not (tmp_path / "supernet" / "checkpoint.npz").exists() and process.poll() is None:
    pass
  process.send_signal(signal.SIGKILL)
  assert process.wait() == -signal.SIGKILL, process.stderr.read()
  process.stderr.close()
  world.tool("train_supernet", *flags)
  one, other = (launcher.training(run / "supernet") for run in (trained, tmp_path))
  assert not launcher.difference(one, other)


def test_a_ranking_against_a_table_of_the_packed_set(world, trained, tmp_path):
  truth = np.linspace(10, 90, 27).astype(np.float32)
  analysis.save_table(tmp_path / "t.npz", "small", {("digits", "test", 200): truth})
  said = world.tool("rank", f"--run_dir={trained}", f"--archs={ARCHS}", "--score_images=64",
                    f"--table={tmp_path / 't.npz'}")
  assert "4 of them against" in said and "digits test, 200 epochs" in said
  with open(trained / "rank" / "ranking.csv", newline="") as file:
    rows = list(csv.DictReader(file))
  assert [int(row["index"]) for row in rows] == [0, 7, 23, 26]
  assert all(0 <= float(row["accuracy"]) <= 1 for row in rows)
  versions = json.loads((trained / "config.json").read_text())["versions"]
  assert "jax" in versions and "tensorflow" not in versions
  assert str(trained / "report.html") in world.tool("report", f"--run_dir={trained}")


def test_parts_of_a_few_shot_supernet(world, packed, tmp_path):
  said = world.tool("train_few_shot", packed, *TINY, "--epochs=1", "--few_shot_groups=0,1;2",
                    f"--run_dir={tmp_path}")
  assert said.count(f"step {STEPS // 2},") == 2


@pytest.mark.parametrize("tool,flags,expected", [
    ("search", (), "search.py: Needs the package keras_tuner. Received: it is not installed"),
    ("nas", (), "nas.py: Needs the package keras_tuner. Received: it is not installed"),
    ("export", (), "export.py: Needs the package tensorflow. Received: it is not installed"),
    ("train_subnet", (), "Needs the package tensorflow. Received: it is not installed"),
    ("rank", ("--archs=sample:4", "--standalone=2"), "Needs the package tensorflow. Received:"),
    ("pack", ("--dataset=cifar10",), "Needs the package tensorflow_datasets. Received:"),
    ("train_supernet", ("--dataset=cifar10",), "tools/pack.py makes a `data_file` of one"),
    ("train_supernet", ("--image_dir=.",), "Received: ., and it is not installed"),
    ("train_supernet", ("--data_file=none.npz",), "`data_file` must be a file. Received: none.npz"),
])
def test_what_cannot_run_there_says_so(world, tmp_path, tool, flags, expected):
  place = f"--data_file={tmp_path / 'p.npz'}" if tool == "pack" else f"--run_dir={tmp_path}"
  if tool == "nas":
    flags = ("--data_file=p.npz",)
  path = without_tensorflow.ROOT / "tools" / f"{tool}.py"
  assert expected in launcher.refusal(world.run(path, *flags, place))
  assert not list(tmp_path.rglob("*.json")) and not list(tmp_path.rglob("*.npz"))


@pytest.mark.parametrize("backend,expected", [
    ("torch", "KERAS_BACKEND must be tensorflow or jax. Received: torch"),
    ("tensorflow", "KERAS_BACKEND must be installed, tensorflow or jax. Received: tensorflow"),
])
def test_other_back_ends_are_refused(world, packed, tmp_path, backend, expected):
  tool = without_tensorflow.ROOT / "tools" / "train_supernet.py"
  result = world.run(tool, packed, f"--run_dir={tmp_path}", KERAS_BACKEND=backend)
  assert expected in launcher.refusal(result)
