"""An experiment: rows that land as they finish, are skipped when present, and survive a kill."""

import signal
import time

import numpy as np
import pytest

from tests.tools import launcher
from tfdynnas import analysis

FLAGS = (
    *launcher.TRAIN, "--schedule=calr", "--archs=#13,#23,#26,#8",
    "--truth_dataset=cifar10", "--trials=4", "--population=4", "--parents=2", "--mutants=1",
    "--crossovers=1", "--score_images=32", "--probe_epochs=2", "--probe_archs=4",
    "--row=SPOS: --schedule=cosine --momentum_groups=shared",
)


@pytest.fixture
def places(tmp_path):
  """Flags of where things are: a table of made-up truths, results, runs."""
  truth = np.linspace(10, 90, 27).astype(np.float32)
  analysis.save_table(tmp_path / "table.npz", "small", {("cifar10", "test", 200): truth})
  return (f"--table={tmp_path / 'table.npz'}", f"--results={tmp_path / 'results.csv'}",
          f"--run_dir={tmp_path / 'runs'}", "--noshow_progress")


def test_a_killed_experiment_goes_on_and_present_rows_are_skipped(places, tmp_path):
  results, folder = tmp_path / "results.csv", tmp_path / "runs" / "spos_seed0"
  process = launcher.start("experiment", *FLAGS, *places)
  while process.poll() is None and not (folder / "supernet" / "checkpoint.npz").exists():
    time.sleep(0.05)
  process.send_signal(signal.SIGKILL)
  assert process.wait() == -signal.SIGKILL and not results.exists()
  table = launcher.succeed("experiment", *FLAGS, *places)
  line, = analysis.read_results(results)
  assert (line["row"], line["seed"], line["archs"]) == ("SPOS", "0", "4")
  ranking = np.genfromtxt(folder / "rank" / "ranking.csv", delimiter=",", names=True, dtype=None,
                          encoding="utf-8")
  tau = analysis.kendall(ranking["accuracy"], ranking["truth"])
  assert line["tau_cifar10"] == (f"{tau:.6g}" if np.isfinite(tau) else "")
  truth = np.linspace(10, 90, 27)[int(line["found"][1:])]
  assert float(line["top1_cifar10"]) == pytest.approx(truth, abs=1e-3)
  assert float(line["peak_mb"]) > 100 and float(line["hours"]) > 0 and line["tau_cifar100"] == ""
  assert "| SPOS | 1 |" in table and (folder / "report.html").exists()
  assert (folder / "supernet" / "probes.jsonl").exists() and "--probe" not in line["flags"]
  before = launcher.files(tmp_path)
  assert launcher.succeed("experiment", *FLAGS, *places) == table
  assert launcher.files(tmp_path) == before


@pytest.mark.parametrize("flags, expected", [
    (("--row=SPOS",), "`row` must be `NAME: FLAGS`"),
    (("--row=A: --epochs=0", "--seeds=0"), "--table"),
    (("--row=A: ", "--seeds=x"), "`seeds` must be whole numbers"),
    ((), "Give --row"),
  (("--row=A: ", "--row=B, C: ", "--only=C"),
   "`only` must name rows, of 'A', 'B, C'. Received: ['C']"),
  (("--row=A + b: ", "--row=A, B: "), "Rows must differ in letters and digits"),
  (("--row=A: ", "--trials=-1"), "`trials` must be >= 0. Received: -1"),
])
def test_rows_that_cannot_be(flags, expected, tmp_path):
  result = launcher.run("experiment", "--dataset=digits", f"--run_dir={tmp_path}", *flags)
  assert expected in launcher.refusal(result)
