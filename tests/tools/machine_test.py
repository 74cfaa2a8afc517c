"""What the machine does to a launcher: Keras' own settings, streams, Ctrl-C, SIGTERM, memory."""

import csv
import json
import os
import pathlib
import pty
import re
import resource
import signal
import subprocess
import time

import keras
import pytest

from tests.tools import launcher
from tfdynnas import errors
from tfdynnas.tools import machine

TRAIN = (*launcher.TRAIN, "--epochs=6")  # Steps enough to be amid them.
SEARCH = (*launcher.SEARCH, "--score_images=0", "--score_batch=8")  # 68 batches a trial.
ENDED = "The same command goes on from what is done."


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
  """A run that was trained with a full standard error, in a folder that not all can spell."""
  folder = tmp_path_factory.mktemp("machine") / "é"
  with open("/dev/full", "wb") as full:
    status = subprocess.run(
        launcher.command("train_supernet", *TRAIN, f"--run_dir={folder}"), stderr=full).returncode
  assert status == 0
  return folder


@pytest.mark.parametrize("content,expected", [
    ("{", "must be whole JSON"), ("[1]", r"must hold an object of settings. Received: \[1\]"),
    ("\xff", "must be whole JSON"), (None, "Not a regular file"),
])
def test_a_file_that_keras_would_pass_over_or_die_of(tmp_path, monkeypatch, content, expected):
  monkeypatch.setenv("KERAS_HOME", str(tmp_path))
  machine.check()
  place = tmp_path / "keras.json"
  place.write_text("")
  machine.check()
  place.unlink()
  if content is None:
    os.mkfifo(place)
  else:
    place.write_bytes(content.encode("latin-1"))
  with pytest.raises(errors.InputError, match=expected):
    machine.check()
  result = launcher.run_alone("train_supernet", *TRAIN, f"--run_dir={tmp_path / 'run'}")
  assert str(place) in launcher.refusal(result)
  assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name,value", [
    ("image_data_format", "channels_first"), ("floatx", "float16"), ("epsilon", 1e-3),
    ("max_epochs", 1), ("max_steps_per_epoch", 1),
])
def test_settings_that_change_what_is_computed(name, value):
  assert machine.import_keras() == "tensorflow"
  was, assign = getattr(keras.config, name)(), getattr(keras.config, f"set_{name}")
  assign(value)
  try:
    with pytest.raises(errors.InputError, match=f"`{name}` .*, must be {was}. Received: {value}"):
      machine.import_keras()
  finally:
    assign(was)


def test_a_launcher_reads_them(tmp_path):
  (tmp_path / "keras.json").write_text(json.dumps({"image_data_format": "channels_first"}))
  result = launcher.run_alone("train_supernet", *TRAIN, f"--run_dir={tmp_path / 'run'}",
                        env={**os.environ, "KERAS_HOME": str(tmp_path)})
  assert "Received: channels_first" in launcher.refusal(result)
  assert not (tmp_path / "run").exists()


def test_few_addresses_are_refused_before_tensorflow_aborts(tmp_path):
  limits = 2**31, resource.getrlimit(resource.RLIMIT_AS)[1]
  result = launcher.run_alone("train_supernet", *TRAIN, f"--run_dir={tmp_path / 'run'}",
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limits))
  assert "memory addresses, `ulimit -v`, must be >= 4,194,304 KiB. Received: 2,097,152" in (
      launcher.refusal(result))


def test_streams_that_are_closed_full_or_of_few_letters(trained):
  command = launcher.command("train_supernet", *TRAIN, f"--run_dir={trained}")
  few = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
  closed = subprocess.run(["bash", "-c", '"$@" 2>&-', "_", *command], env=few,
                          stdout=subprocess.PIPE)
  assert closed.returncode == 0
  told = f"Supernet in {trained}: step 90".replace("é", r"\xe9")
  assert told in closed.stdout.decode("ascii")
  usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
  with open("/dev/full", "wb") as full:
    line = launcher.refusal(subprocess.run(
        command, env=usual, stdout=full, stderr=subprocess.PIPE, text=True), 1)
  assert "No space left" in line and "standard output" in line


def _catches(process, number):
  """Whether a process has a handler for a signal."""
  status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
  return int(re.search(r"SigCgt:\s*([0-9a-f]+)", status)[1], 16) >> (number - 1) & 1


def _imports(process):
  """Whether a process is amid TensorFlow's import."""
  return "libtensorflow" in pathlib.Path(f"/proc/{process.pid}/maps").read_text()


@pytest.mark.parametrize("number,word,moments", [
    (signal.SIGTERM, "Terminated", [lambda process: _catches(process, signal.SIGTERM)]),
    (signal.SIGINT, "Interrupted", [_imports]), (signal.SIGINT, "Interrupted", [_imports, None]),
])
def test_a_signal_while_it_starts(tmp_path, number, word, moments):
  process = subprocess.Popen(
      launcher.command("train_supernet", *TRAIN, f"--run_dir={tmp_path / 'run'}"),
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
  for moment in moments:
    if moment is None:
      time.sleep(1)
    while moment and not moment(process):
      assert process.poll() is None, process.communicate()
      time.sleep(0.01)
  process.send_signal(number)
  assert process.communicate() == ("", f"train_supernet.py: {word}. {ENDED}\n")
  assert process.returncode == 128 + number
  assert not (tmp_path / "run").exists()


def test_ctrl_c_within_training(trained, tmp_path):
  command = launcher.command("train_supernet", *TRAIN, f"--run_dir={tmp_path}")
  child, terminal = pty.fork()
  if child == 0:
    os.execv(command[0], command)
  said = b""
  while b" steps " not in said:
    said += os.read(terminal, 4096)
  os.write(terminal, b"\x03")
  try:
    while True:
      said += os.read(terminal, 4096)
  except OSError:  # So ends a terminal whose process has ended.
    pass
  assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
  *_, progress, last, after = said.decode().replace("\r\n", "\n").split("\n")
  assert progress.startswith("\r\x1b[Ksupernet  ") and "/90 steps " in progress
  assert (last, after) == (f"train_supernet.py: Interrupted. {ENDED}", "")
  launcher.succeed("train_supernet", *TRAIN, f"--run_dir={tmp_path}")
  left = [launcher.training(folder / "supernet") for folder in (trained, tmp_path)]
  assert not launcher.difference(*left)
  assert not list(tmp_path.rglob("*.partial"))


def test_sigterm_within_search(trained):
  process = subprocess.Popen(launcher.command("search", *SEARCH, f"--run_dir={trained}"),
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
  assert process.stderr.readline().startswith("search ")
  process.send_signal(signal.SIGTERM)
  *progress, last = process.communicate()[1].splitlines()
  assert process.returncode == 143 and last == f"search.py: Terminated. {ENDED}"
  assert all(line.startswith("search ") for line in progress)
  again = launcher.run("search", *SEARCH, f"--run_dir={trained}")
  assert again.returncode == 0, again.stderr
  first = int(re.search(r" (\d+)/15 trials", again.stderr)[1])
  assert first > 1, again.stderr  # It goes on after those that were done.
  with open(trained / "search" / "trials.csv", newline="", encoding="utf-8") as file:
    assert len(list(csv.reader(file))) == 16
