"""A row of the paper's table in slices, without TensorFlow: cut off, packed, gone on with."""

import csv
import io
import re
import shutil
import subprocess
import tarfile
import venv

import numpy as np
import pytest

from tests import small_cells
from tests import without_tensorflow
from tests.tools import launcher
from tfdynnas import analysis
from tfdynnas import data

pytest.importorskip("jax", reason="the extra `jax` is not installed")
pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")

SCRIPT = without_tensorflow.ROOT / "tools" / "paper_table.sh"
ROW = "SPOS, cosine + MS"
TINY = ("--space=small_cells:make_space", "--channels=2", "--cells=1", "--epochs=20", "--batch=64",
        "--pad=0", "--checkpoint_steps=4", "--archs=#0,#7,#23,#26", "--truth_dataset=cifar10",
        "--deterministic", "--noshow_progress")
STEPS = 300  # 898 images to train on: 15 steps per epoch.
PART_BYTES = 200_000
ENOUGH = 3600  # Seconds.
TIMED = ("hours", "peak_mb")


@pytest.fixture(scope="module")
def slice_of(tmp_path_factory):
  """Callable (state_in, state_out, seconds, row=, **environment) -> subprocess.CompletedProcess."""
  folder = tmp_path_factory.mktemp("slices")
  data.pack(folder / "digits.npz", "digits")
  truth = np.linspace(10, 90, 27).astype(np.float32)
  analysis.save_table(folder / "t.npz", "small", {("cifar10", "test", 200): truth})
  # An environment of its own: the launchers start each other by sys.executable.
  venv.create(folder / "python", symlinks=True)
  environment = without_tensorflow.Without(folder).environment
  shutil.copy(small_cells.__file__, environment["PYTHONPATH"])
  environment["PATH"] = f"{folder / 'python' / 'bin'}:{environment['PATH']}"

  def run(state_in, state_out, seconds, row=ROW, **changed):
    places = [folder / "digits.npz", folder / "t.npz", state_in, state_out, seconds]
    return subprocess.run(
        [SCRIPT, *map(str, places), row, "0", *TINY], capture_output=True, text=True, check=False,
        env={**environment, "TFDYNNAS_PART_BYTES": str(PART_BYTES), **changed})

  return run


@pytest.fixture(scope="module")
def whole(slice_of, tmp_path_factory):
  """(state, what was printed): the row in one slice."""
  state = tmp_path_factory.mktemp("whole") / "state"
  result = slice_of(state / "none", state, ENOUGH)
  assert result.returncode == 0 and "paper_table.sh" not in result.stderr, result.stderr
  return state, result.stdout


def _unpacked(state, folder):
  """Unpacks a state; returns the folder of the run."""
  parts = sorted(state.iterdir())
  with tarfile.open(fileobj=io.BytesIO(b"".join(part.read_bytes() for part in parts))) as tar:
    tar.extractall(folder, filter="data")
  return folder / "run" / "spos_cosine_ms_seed0"


def _line(folder):
  """The line of the row, without what takes its own time."""
  line, = analysis.read_results(folder / "results.csv")
  return {column: value for column, value in line.items() if column not in TIMED}


def test_a_row_in_slices_is_the_row_in_one(slice_of, whole, tmp_path):
  state, seconds, said = tmp_path / "state", 5, []  # Too little for the four processes of a row.
  while not said or said[-1].returncode == 75:
    said.append(slice_of(state, state, int(seconds)))
    assert all(part.stat().st_size <= PART_BYTES for part in state.iterdir())
    seconds *= 1.5  # So that it ends, however long each start takes.
  assert said[-1].returncode == 0, said[-1].stderr
  assert len(said) >= 2
  for each in said[:-1]:
    assert re.search(rf"step \d+ of {STEPS}$|not begun", each.stdout, re.MULTILINE), each.stdout
  assert any(re.search(r"step [1-9]", each.stdout) for each in said), "cut off as it trained"
  runs = [_unpacked(path, tmp_path / name) for name, path in (("a", whole[0]), ("b", state))]
  one, other = (_line(run.parents[1]) for run in runs)
  assert one == other
  assert one["split"] and one["tau_cifar100"] == one["found"] == one["device_mb"] == ""
  assert "tensorflow" not in one["versions"] and "jax" in one["versions"]
  assert not launcher.difference(*(launcher.training(run / "supernet") for run in runs))
  assert (runs[1] / "report.html").exists()


def test_a_row_that_is_done_is_told(slice_of, whole, tmp_path):
  head, printed = whole[1].partition("row,seed,")[::2]
  line, = csv.DictReader(io.StringIO(f"row,seed,{printed}"))
  assert f"| {ROW} | 1 |" in head and line["row"] == ROW and "--data_file" not in line["flags"]
  again = slice_of(whole[0], tmp_path / "again", ENOUGH)
  assert (again.returncode, again.stdout) == (0, whole[1])
  parts = sorted(path.name for path in (tmp_path / "again").iterdir())
  assert 2 <= len(parts) <= 8 and parts[0].endswith(f"-1of{len(parts)}")


def test_a_state_of_too_many_parts_is_refused(slice_of, whole, tmp_path):
  result = slice_of(whole[0], tmp_path / "out", ENOUGH, TFDYNNAS_PART_BYTES="1000")
  assert result.returncode == 1
  assert "must fit into 8 parts of 1000 bytes. Received: " in result.stderr
  assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("harm", [
    lambda part: part.unlink(),
    lambda part: part.write_bytes(part.read_bytes()[:-1]),
    lambda part: part.write_bytes(part.read_bytes().replace(b"SPOS", b"spos")),
], ids=["missing", "shorter", "changed"])
def test_a_damaged_state_is_refused(slice_of, whole, tmp_path, harm):
  state = shutil.copytree(whole[0], tmp_path / "state")
  for part in sorted(state.iterdir()):
    if b"SPOS" in part.read_bytes():
      harm(part)
      break
  before = launcher.files(state)
  result = slice_of(state, state, ENOUGH)
  assert "STATE_IN must hold all parts of a state" in launcher.refusal(result)
  assert launcher.files(state) == before


def test_an_older_state_and_what_a_kill_left_of_a_newer_one(slice_of, whole, tmp_path):
  state = shutil.copytree(whole[0], tmp_path / "state")
  (state / "state-0000000000000000-1of2").write_bytes(b"new")
  result = slice_of(state, state, ENOUGH)
  assert (result.returncode, result.stdout) == (0, whole[1])
  assert "state-0000000000000000-1of2" not in {path.name for path in state.iterdir()}


@pytest.mark.parametrize("seconds, row, expected", [
    ("soon", ROW, "SECONDS must be a whole number >= 1. Received: soon"),
    ("9", "SPAS", "`only` must name rows, of 'SPOS', "),
])
def test_what_cannot_be_is_refused(slice_of, tmp_path, seconds, row, expected):
  result = slice_of(tmp_path / "in", tmp_path / "out", seconds, row=row)
  assert result.returncode == 2 and expected in result.stderr
  assert not (tmp_path / "out").exists()


def test_help_says_what_to_give():
  result = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=False)
  assert result.returncode == 0 and "DATA TABLE STATE_IN STATE_OUT SECONDS" in result.stdout
