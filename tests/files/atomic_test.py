"""Files are whole also when several processes write the same one, or are refused the place."""

import threading

import pytest

from tfdynnas import errors
from tfdynnas.files import atomic


def test_of_two_that_write_at_once_the_second_waits(tmp_path):
  path = tmp_path / "file"
  with atomic.replacing(path) as file:
    file.write(b"first")
    second = threading.Thread(target=atomic.write_text, args=(path, "second"))
    second.start()
    second.join(0.2)
    assert second.is_alive() and not path.exists()
    file.write(b", whole" * 1000)
  second.join(10)
  assert path.read_text() == "second" and [path] == list(tmp_path.iterdir())


def test_a_failed_write_leaves_what_was_there_and_lets_others_write(tmp_path):
  path = tmp_path / "file"
  atomic.write_text(path, "before")
  with pytest.raises(OSError, match="full"), atomic.replacing(path) as file:
    file.write(b"half")
    raise OSError(28, "full")
  assert path.read_text() == "before" and [path] == list(tmp_path.iterdir())
  (tmp_path / ".file.partial").write_text("longer, of a process that was killed")
  atomic.write_text(path, "after")
  assert path.read_text() == "after" and [path] == list(tmp_path.iterdir())


def test_one_makes_a_thing_at_a_time_and_leaves_no_lock(tmp_path):
  path = tmp_path / "new" / "folder" / "table.npz"
  with atomic.alone(path, "table"):
    with pytest.raises(errors.InputError, match="`table` must be free. .*table.npz, in use by an"):
      with atomic.alone(path, "table"):
        pass
  assert not list(tmp_path.iterdir())
  with atomic.alone(path, "table"):
    atomic.write_text(path, "x")
  assert list(path.parent.iterdir()) == [path]
