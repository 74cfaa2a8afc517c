"""Version folders: numbers, races, failures and kills, without TensorFlow."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from tfdynnas import errors
from tfdynnas import serving

ROOT = pathlib.Path(serving.__file__).resolve().parents[2]


def _write(folder):
  (folder / "variables").mkdir()
  (folder / "variables" / "a").write_text("whole")
  (folder / "b").write_text("whole")


def _entries(folder):
  return sorted(entry.name for entry in folder.iterdir())


def _in_threads(count, function):
  threads = [threading.Thread(target=function, args=(number,)) for number in range(count)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()


def test_versions_count_up_from_the_greatest(tmp_path):
  home = tmp_path / "deep" / "base" / "net"
  assert serving.write_version(home.parent, "net", _write) == home / "1"
  for name in ("0007", "latest", ".tmp-mine", "12a"):
    (home / name).mkdir()
  assert serving.write_version(str(home.parent), "net", _write) == home / "8"
  assert serving.write_version(home.parent, "net", _write, 3) == home / "3"
  assert serving.write_version(home.parent, "net", _write) == home / "9"
  assert (home / "9" / "variables" / "a").read_text() == "whole"


@pytest.mark.parametrize("number, spelling", [(7, "7"), (7, "0007")])
def test_an_existing_version_is_refused_and_kept(tmp_path, number, spelling):
  (tmp_path / "net" / spelling).mkdir(parents=True)
  with pytest.raises(errors.InputError, match="holds already"):
    serving.write_version(tmp_path, "net", _write, number)
  assert _entries(tmp_path / "net") == [spelling] and not _entries(tmp_path / "net" / spelling)


def test_the_greatest_number_has_no_next(tmp_path):
  serving.write_version(tmp_path, "net", _write, 2**63 - 1)
  with pytest.raises(errors.InputError, match="no version after"):
    serving.write_version(tmp_path, "net", _write)
  assert len(_entries(tmp_path / "net")) == 1


def test_exports_at_once_get_a_version_each(tmp_path):
  paths = []
  _in_threads(16, lambda _: paths.append(serving.write_version(tmp_path, "net", _write)))
  assert sorted(int(path.name) for path in paths) == list(range(1, 17))
  assert len(_entries(tmp_path / "net")) == 16


def test_of_exports_at_once_to_one_version_the_first_wins(tmp_path):
  barrier, results = threading.Barrier(8), []

  def export(number):
    def write(folder):
      (folder / "a").write_text(str(number))
      barrier.wait()

    try:
      serving.write_version(tmp_path, "net", write, 5)
      results.append(number)
    except errors.InputError:
      results.append(None)

  _in_threads(8, export)
  (winner,) = [number for number in results if number is not None]
  assert len(results) == 8 and _entries(tmp_path / "net") == ["5"]
  assert (tmp_path / "net" / "5" / "a").read_text() == str(winner)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing(tmp_path, error):
  def write(folder):
    _write(folder)
    raise error

  with pytest.raises(type(error)):
    serving.write_version(tmp_path / "new" / "base", "net", write)
  assert not _entries(tmp_path)
  serving.write_version(tmp_path, "net", _write)
  with pytest.raises(type(error)):
    serving.write_version(tmp_path, "net", write)
  assert _entries(tmp_path / "net") == ["1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path):
  (tmp_path / "base").mkdir(mode=0o500)
  with pytest.raises(PermissionError):
    serving.write_version(tmp_path / "base", "net", _write)


def test_a_poller_sees_whole_versions_only(tmp_path):
  home, seen, done = tmp_path / "net", set(), threading.Event()

  def poll(_):
    while not done.is_set():
      for name in os.listdir(home) if home.exists() else ():
        if name.isdecimal():
          seen.add(name)
          for file in ("variables/a", "b"):
            if not (home / name / file).exists() or (home / name / file).read_text() != "whole":
              seen.add(f"{name} without {file}")

  poller = threading.Thread(target=poll, args=(0,))
  poller.start()
  for _ in range(50):
    serving.write_version(tmp_path, "net", _write)
  done.set()
  poller.join()
  assert len(seen) > 1 and seen <= {str(number) for number in range(1, 51)}


def test_a_dead_draft_goes_and_a_living_one_stays(tmp_path):
  code = f"""
      import pathlib, sys, time
      sys.path.insert(0, {str(ROOT)!r})
      from tfdynnas import serving
      def write(folder):
        (folder / "a").write_text("half")
        time.sleep(60)
      serving.write_version({str(tmp_path)!r}, "net", write)
  """
  process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
  home, deadline = tmp_path / "net", time.monotonic() + 30
  while not list(home.glob(".tmp-*/a")):
    assert process.poll() is None and time.monotonic() < deadline
    time.sleep(0.01)
  serving.write_version(tmp_path, "net", _write)
  assert len(_entries(home)) == 2 and _entries(home)[1] == "1"
  process.send_signal(signal.SIGKILL)
  process.wait()
  assert len(_entries(home)) == 2
  serving.write_version(tmp_path, "net", _write)
  assert _entries(home) == ["1", "2"]


def test_importing_needs_neither_tensorflow_nor_keras():
  code = "import sys, tfdynnas.serving; print(*sys.modules)"
  result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
  assert "tfdynnas.serving.servable" in result.stdout
  assert not {"tensorflow", "keras", "tensorflow_serving"} & set(result.stdout.split())
