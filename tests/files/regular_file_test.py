"""Files that never end, never begin or are too large are refused at every door, and at once."""

import os
import signal

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.data import split
from tfdynnas.data.formats import packed_file
from tfdynnas.files import json_schema
from tfdynnas.files import regular_file
from tfdynnas.jobs import archs
from tfdynnas.report import reader
from tfdynnas.spaces import costs
from tfdynnas.training import callbacks

SPACE = spaces.nasbench201(channels=2, cells=1, image_size=8)


def _split_file(path):
  labels = np.zeros(50_000, np.int32)
  labels[:20] = split.CIFAR10_LABELS
  return split.literature(path, [f"train_{place:05}" for place in range(50_000)], labels)


DOORS = {
    "archs": lambda path: archs.from_file(SPACE, path, "archs"),
    "results": analysis.read_results,
    "table": analysis.load_table,
    "nats": analysis.read_nats,
    "latency_table": lambda path: costs.read_latency(SPACE, path),
    "data_file": packed_file.load,
    "split_file": _split_file,
    "a file of a run": lambda path: json_schema.read(path, dict),
    "a log": lambda path: reader.rows(path, ("step",)),
    "probes": callbacks.read_lines,
}


@pytest.fixture
def within_seconds():
  """Ends a test that waits for a pipe, or reads what has no end."""
  before = signal.signal(signal.SIGALRM, signal.default_int_handler)
  signal.alarm(20)
  yield
  signal.alarm(0)
  signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("within_seconds")
@pytest.mark.parametrize("name,kind", [
    (name, kind) for name in DOORS for kind in ("device", "pipe", "folder")
    if (name, kind) != ("nats", "folder")])
def test_what_is_no_regular_file_is_refused(tmp_path, name, kind):
  path = tmp_path / kind
  if kind == "device":
    path.symlink_to("/dev/zero")
  elif kind == "pipe":
    os.mkfifo(path)
  else:
    path.mkdir()
  with pytest.raises(errors.InputError, match=f"must .*{kind}"):
    DOORS[name](path)


@pytest.mark.usefixtures("within_seconds")
@pytest.mark.parametrize("name", ["archs", "results", "latency_table", "split_file", "a log"])
def test_a_size_is_looked_at_before_the_content(tmp_path, name):
  path = tmp_path / "large"
  with open(path, "wb") as file:
    file.truncate(regular_file.MOST_LOG_BYTES + 1)  # A hole: nothing is on the disk.
  with pytest.raises(errors.InputError, match="More than .* bytes"):
    DOORS[name](path)


def test_a_file_of_just_the_size_is_read(tmp_path):
  path = tmp_path / "file"
  path.write_bytes("é2".encode())
  assert regular_file.read_text(path, 3) == "é2"
  with pytest.raises(OSError, match="More than 2 bytes"):
    regular_file.read_bytes(path, 2)
  with pytest.raises(OSError, match="null byte"):
    regular_file.read_bytes("a\0b")


def test_a_list_of_more_archs_than_can_be_ranked_is_refused(tmp_path, monkeypatch):
  path = tmp_path / "archs.txt"
  path.write_text("#1\n#2\n#3\n")
  assert archs.from_file(SPACE, path, "archs") == [SPACE.arch(index) for index in (1, 2, 3)]
  monkeypatch.setattr("tfdynnas.config.option.MOST_ARCHS", 2)
  with pytest.raises(errors.InputError, match="at most 2 archs. Received: .* of 3 lines"):
    archs.from_file(SPACE, path, "archs")
