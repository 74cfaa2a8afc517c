"""Two real processes train one supernet: as one process with two devices, and though one is killed.

And a chief and two workers search it, one of them killed, as one process does.
"""

import csv
import json
import os
import signal
import time

import numpy as np
import pytest

from tests.backend import processes
from tests.tools import launcher
from tfdynnas.search.distributed import roles

TRAIN = (*launcher.TRAIN, "--batch=32", "--distribution=multi_worker")  # 29 steps per epoch.


def start(environment, tool, *flags):
  """A launcher, started."""
  quiet = {**environment, "TF_CPP_MIN_LOG_LEVEL": "3"}  # JAX makes it 1 in the tests' process.
  return launcher.start(tool, *flags, env=quiet)


def train(run, *flags):
  """The two workers, started."""
  addresses = processes.free_addresses(2)
  return [start(processes.environment(addresses, index), "train_supernet", *TRAIN, *flags,
                f"--run_dir={run}") for index in range(2)]


def finish(started):
  """Waits for launchers that must succeed."""
  told = [process.communicate(timeout=300) for process in started]
  assert not any(process.returncode for process in started), told


def lost(process, seconds):
  """The one line of a process that ends within a time because another was lost."""
  begin = time.monotonic()
  out, err = process.communicate(timeout=seconds)
  lines = [line for line in err.splitlines() if not line.startswith("supernet ")]  # Progress.
  assert process.returncode == 1 and len(lines) == 1, err
  assert time.monotonic() - begin < seconds
  return lines[0]


@pytest.fixture(scope="module")
def two_devices(tmp_path_factory):
  """What one process with two devices left."""
  folder = tmp_path_factory.mktemp("devices") / "run"
  launcher.succeed("train_supernet", *TRAIN, "--distribution=mirrored", "--devices=CPU:0,CPU:1",
                   f"--run_dir={folder}")
  return launcher.training(folder / "supernet")


@pytest.mark.parametrize("killed,by,status,told", [
    (0, signal.SIGKILL, -signal.SIGKILL, ""),
    (1, signal.SIGTERM, 143, "train_supernet.py: Terminated. "),  # TensorFlow would pass it over.
])
def test_a_killed_worker_ends_the_other_and_both_go_on(
    two_devices, tmp_path, killed, by, status, told):
  started = train(tmp_path)
  launcher.wait_for(tmp_path / "supernet" / "checkpoint.npz", started[0])
  started[killed].send_signal(by)
  assert "one was lost" in lost(started[1 - killed], 60)
  assert told in started[killed].communicate()[1] and started[killed].returncode == status
  with np.load(tmp_path / "supernet" / "checkpoint.npz") as file:
    assert 0 < json.loads(bytes(file["record"]))["step"] < 58
  finish(train(tmp_path))
  arrays, record, _ = launcher.training(tmp_path / "supernet")
  assert record["step"] == two_devices[1]["step"] == 58
  for name, array in two_devices[0].items():
    if not name.startswith("metric/"):  # Sums of two workers, taken apart at the resume.
      np.testing.assert_array_equal(arrays[name], array, name)
  with open(tmp_path / "supernet" / "log.csv", newline="", encoding="utf-8") as file:
    assert all(0 < float(row["data_wait"]) < 1 for row in csv.DictReader(file))
  for row, expected in zip(record["rows"], two_devices[1]["rows"], strict=True):
    assert row == pytest.approx(expected, abs=2e-5)


def test_a_worker_that_hangs_ends_the_other(tmp_path):
  started = train(tmp_path)
  launcher.wait_for(tmp_path / "supernet" / "checkpoint.npz", started[0])
  started[1].send_signal(signal.SIGSTOP)
  assert "one was lost" in lost(started[0], 90)  # README: about a minute.
  started[1].kill()
  started[1].communicate()


def test_a_worker_without_others_ends_and_late_ones_train(tmp_path):
  addresses, flags = processes.free_addresses(2), (*launcher.TINY, "--distribution=multi_worker")
  alone = start(processes.environment(addresses, 0), "train_supernet", *flags,
                "--step_seconds=4", f"--run_dir={tmp_path}")
  assert "must start, and do each step, within 4 s" in lost(alone, 120)
  started = []
  for index in range(2):
    time.sleep(5 * index)
    started.append(start(processes.environment(addresses, index), "train_supernet", *flags,
                         "--step_seconds=60", f"--run_dir={tmp_path}"))
  finish(started)


def test_workers_refuse_what_cannot_be(tmp_path):
  environment = {**os.environ, "TF_CONFIG": "{}"}
  flags = (*TRAIN, f"--run_dir={tmp_path}")
  line = launcher.refusal(launcher.run_alone("train_supernet", *flags, env=environment))
  assert "needs TF_CONFIG such as" in line
  environment["TF_CONFIG"] = "[" * 100_000
  line = launcher.refusal(launcher.run_alone("train_supernet", *flags, env=environment))
  assert "needs TF_CONFIG such as" in line and len(line) < 600
  assert "train_supernet.py" in launcher.refusal(launcher.run("nas", *flags))
  environment = {**processes.environment(["a:1", "b:1"], 0), "KERAS_BACKEND": "jax"}
  line = launcher.refusal(launcher.run_alone("train_supernet", *flags, env=environment))
  assert "needs KERAS_BACKEND=tensorflow. Received: jax" in line


def test_a_chief_and_workers_find_what_one_process_finds(searched, trained, copy):
  run = copy(trained)
  port = processes.free_addresses(1)[0].rpartition(":")[2]

  def begin(name):
    values = dict(zip(roles.VARIABLES, (name, "127.0.0.1", port)))
    return start({**os.environ, **values}, "search", *launcher.SEARCH, f"--run_dir={run}")

  chief, one, two = map(begin, ("chief", "one", "two"))
  launcher.wait_for(run / "search" / "trial_05", chief)
  two.send_signal(signal.SIGKILL)
  two.communicate()
  finish([chief, one, begin("two")])
  tables, found = [], []
  for folder in (run / "search", searched / "search"):
    tables.append((folder / "trials.csv").read_text())
    found.append(json.loads((folder / "found.json").read_text()))
  assert tables[0] == tables[1] and found[0] == found[1]
