"""Input that is bad in ways no flag shows: one line, a status, and no half-written file."""

import csv
import fcntl
import json
import shutil
import zipfile

import numpy as np
import pytest

from tests.tools import launcher

QUIET = "--noshow_progress"
FULL = 20_000  # Bytes: more than the small files have, less than a checkpoint.


@pytest.mark.parametrize("flags,expected", [
    ("--dataset=digits --devices=GPU:7", "`devices` must be among"),
    ("--dataset=digits --devices=CPU:0,CPU:1 --distribution=mirrored --batch=63",
     "`batch` must divide by 2 devices. Received: 63"),
    ("--dataset=digits --split_decision=6", "Received: 6"),
    ("--dataset=cifar10 --data_dir={empty}", "{empty}"),
    ("--image_dir={empty}", "{empty}"),
    ("--image_dir={images}", "broken.png"),
])
def test_devices_and_data_that_cannot_be_used(tmp_path, flags, expected):
  (tmp_path / "empty").mkdir()
  for label in "ab":
    (tmp_path / "images" / label).mkdir(parents=True)
    (tmp_path / "images" / label / "broken.png").write_bytes(b"\x89PNG no image")
  places = {"empty": tmp_path / "empty", "images": tmp_path / "images"}
  result = launcher.run(
      "train_supernet", f"--run_dir={tmp_path / 'run'}", *flags.format(**places).split())
  assert expected.format(**places) in launcher.refusal(result)
  assert not list((tmp_path / "run").rglob("config.json"))


@pytest.mark.parametrize("run_dir", ["/dev/full/run", "/proc/run", "{file}/run"])
def test_run_directories_that_cannot_be_written(tmp_path, run_dir):
  (tmp_path / "file").write_text("a file")
  run_dir = run_dir.format(file=tmp_path / "file")
  line = launcher.refusal(launcher.run("train_supernet", *launcher.TRAIN, f"--run_dir={run_dir}"))
  assert "`run_dir` must be writable" in line and run_dir in line


def test_other_flags_are_refused_by_name(trained):
  before = launcher.files(trained)
  flags = (*launcher.TRAIN, "--seed=1", "--channels=3", f"--run_dir={trained}")
  line = launcher.refusal(launcher.run("train_supernet", *flags))
  assert "seed=0 there, 1 here" in line or "channels=2 there, 3 here" in line
  flags = (*launcher.SEARCH, "--data_seed=1", f"--run_dir={trained}")
  assert "data_seed" in launcher.refusal(launcher.run("search", *flags))
  assert launcher.files(trained) == before


def test_a_run_directory_in_use_is_refused(trained):
  with open(trained / ".lock", "ab") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    result = launcher.run("search", *launcher.SEARCH, f"--run_dir={trained}")
  assert "in use by another process" in launcher.refusal(result)


@pytest.mark.parametrize("tool,flags,expected", [
    ("train_subnet", "--arch=|skip~0|", "skip~0"),
    ("train_subnet", "--arch=#27", "Received: 27"),
    ("search", "--max_params=10", "max_params|at least|least|nearest"),
    ("export", "", "Train the network first"),
])
def test_archs_limits_and_jobs_that_cannot_be(trained, tool, flags, expected):
  before = launcher.files(trained)
  result = launcher.run(tool, *flags.split(), f"--run_dir={trained}")
  line = launcher.refusal(result)
  assert any(part in line for part in expected.split("|")), line
  assert launcher.files(trained) == before


def test_a_loss_of_nan_stops_and_names_the_step(tmp_path):
  flags = (*launcher.TINY, "--learning_rate=1e15", "--checkpoint_steps=1", "--max_norm=0", QUIET)
  line = launcher.refusal(launcher.run("train_supernet", *flags, f"--run_dir={tmp_path}"), 1)
  assert "must stay finite. Received: " in line and " step " in line
  checkpoint = tmp_path / "supernet" / "checkpoint.npz"
  if checkpoint.exists():
    with np.load(checkpoint) as file:
      assert all(np.isfinite(file[name]).all() for name in file.files)


def test_full_disk_leaves_what_was_there(finished, copy, tmp_path):
  run = copy(finished)
  before = launcher.files(run)
  flags = (launcher.ARCH, f"--run_dir={run}")
  launcher.refusal(launcher.run("export", *flags, most_bytes=FULL), 1)
  assert launcher.files(run) == before
  other = tmp_path / "other"
  flags = (*launcher.TRAIN, QUIET, f"--run_dir={other}")
  line = launcher.refusal(launcher.run("train_supernet", *flags, most_bytes=FULL), 1)
  assert "checkpoint.npz" in line and "File too large" in line
  assert not [path for path in other.rglob("*") if "checkpoint" in path.name]


def test_damaged_checkpoint_and_early_search_leave_no_trials(trained, copy):
  run = copy(trained)
  path = run / "supernet" / "checkpoint.npz"
  path.write_bytes(path.read_bytes()[:1000])
  for tool, flags in (("train_supernet", launcher.TRAIN), ("search", launcher.SEARCH)):
    line = launcher.refusal(launcher.run(tool, *flags, f"--run_dir={run}"))
    assert "must be a whole checkpoint" in line
  path.unlink()
  line = launcher.refusal(launcher.run("search", *launcher.SEARCH, f"--run_dir={run}"))
  assert "must be trained to the end" in line
  assert not (run / "search").exists()


def _rezip(path):
  with zipfile.ZipFile(path, "w") as file:
    file.writestr("x", "y")


def _flip(path):
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 255
  path.write_bytes(data)


def _as_folder(path):
  path.unlink()
  path.mkdir()


@pytest.mark.parametrize("tool, name, harm", [
    ("export", "subnet_23/model.keras", _flip), ("export", "subnet_23/model.keras", _rezip),
    ("export", "subnet_23/model.keras", lambda path: path.write_bytes(path.read_bytes()[:500])),
    ("export", "subnet_23/result.json", lambda path: path.write_text("{}")),
    ("export", "servable", lambda path: path.write_text("")),
    ("train_subnet", "search/found.json", lambda path: path.write_text("[]")),
    ("search", "supernet/checkpoint.npz", _as_folder), ("report", "config.json", _as_folder),
])
def test_a_damaged_file_of_a_run_is_named(finished, copy, tool, name, harm):
  run = copy(finished)
  (run / name).parent.mkdir(exist_ok=True)
  harm(run / name)
  flags = (launcher.ARCH,) if tool == "export" else ()
  line = launcher.refusal(launcher.run(tool, *flags, f"--run_dir={run}"))
  assert f"{run / name} must " in line and "Received: " in line and "not found" not in line


@pytest.mark.parametrize("name", ["search", "search/oracle.json", "search/trial_07/trial.json"])
def test_a_damaged_search_is_refused(searched, copy, name):
  run = copy(searched)
  shutil.rmtree(run / name, ignore_errors=True)
  (run / name).unlink(missing_ok=True)
  if name == "search":
    (run / name).write_text("")
  line = launcher.refusal(launcher.run("search", *launcher.SEARCH, f"--run_dir={run}"))
  assert f"{run}/search must " in line and "Received: " in line


def test_the_flags_of_a_run_run_it_again_also_on_two_devices(tmp_path):
  flags = (*launcher.TRAIN, "--epochs=1", "--devices=CPU:0,CPU:1", "--distribution=mirrored")
  first, second = tmp_path / "first", tmp_path / "second"
  launcher.succeed("train_supernet", *flags, f"--run_dir={first}")
  launcher.succeed("train_supernet", f"--flagfile={first / 'flags.cfg'}", f"--run_dir={second}")
  configs = [(run / "config.json").read_text() for run in (first, second)]
  assert configs[0] == configs[1] and json.loads(configs[0])["devices"] == {"replicas": 2}
  (row,) = csv.DictReader((first / "supernet" / "log.csv").read_text().splitlines())
  assert 0 < float(row["data_wait"]) < 1
