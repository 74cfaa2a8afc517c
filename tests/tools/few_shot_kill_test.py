"""Few-shot training that is killed ends in the same bits; workers share the parts between them."""

import random
import secrets
import signal
import time

import pytest

from tests.tools import launcher
from tfdynnas.training import checkpoint

FLAGS = (*launcher.TRAIN, "--few_shot_groups=0,1;2")
PARTS = 2


def _start(run):
  return launcher.start("train_few_shot", *FLAGS, f"--run_dir={run}")


def _folders(run):
  return [run / "supernet" / f"part_{part}" for part in range(PARTS)]


@pytest.fixture(scope="module")
def together(tmp_path_factory):
  """(folder, what each said) of a run that two workers trained together."""
  run = tmp_path_factory.mktemp("together") / "run"
  workers = [_start(run) for _ in range(2)]
  said = [worker.communicate() for worker in workers]
  assert [worker.returncode for worker in workers] == [0, 0], said
  return run, [output for output, _ in said]


def test_two_workers_train_each_part_once(together):
  run, said = together
  for part, folder in enumerate(_folders(run)):
    arrays, record, log = launcher.training(folder)
    assert record["step"] == 30 and len(log) == 3 and arrays
    assert len(list(folder.rglob("events.out.*"))) == 1  # One for each process that trained it.
    assert any(f"part {part} (" in line and "step 30" in line
               for text in said for line in text.splitlines())


def test_a_part_in_work_is_named_and_taken_over_when_its_worker_has_died(tmp_path):
  first = _start(tmp_path)
  launcher.wait_for(_folders(tmp_path)[0] / "checkpoint.npz", first)
  first.send_signal(signal.SIGSTOP)
  try:
    said = launcher.succeed("train_few_shot", *FLAGS, f"--run_dir={tmp_path}").splitlines()
  finally:
    first.kill()
    first.communicate()
  assert checkpoint.record(_folders(tmp_path)[0] / "checkpoint.npz")["step"] < 30
  said = said[said.index(f"Few-shot supernet in {tmp_path}"):]
  assert said[1] == "  part 0 (none, skip_connect): in work by another process"
  assert "step 30" in said[2] and said[3].startswith("Other processes train 0. The same command")
  said = launcher.succeed("train_few_shot", *FLAGS, f"--run_dir={tmp_path}")
  assert said.count("step 30") == PARTS and "Other processes" not in said


def test_a_killed_worker_ends_in_the_same_bits(together, tmp_path):
  unharmed, _ = together
  seed = secrets.randbelow(2**31)
  worker = _start(tmp_path)
  worker.wait_for_line()  # The first sign of progress.
  time.sleep(random.Random(seed).uniform(0.0, 2.0))
  worker.send_signal(signal.SIGKILL)
  worker.communicate()
  said = launcher.succeed("train_few_shot", *FLAGS, f"--run_dir={tmp_path}")
  assert said.count("step 30") == PARTS
  for one, other in zip(_folders(unharmed), _folders(tmp_path)):
    assert not launcher.difference(launcher.training(one), launcher.training(other)), seed
  assert not list(tmp_path.rglob("*.partial"))
