"""What is told of a row: from a run directory made up by hand, and its memory on an accelerator."""

import json

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas.backend import current
from tfdynnas.jobs import experiment
from tfdynnas.training import callbacks

INTERVAL = {"value": 0.5, "low": 0.25, "high": None}


@pytest.fixture
def row(tmp_path):
  """A run directory with what `describe` reads: four archs were ranked, #2 was found."""
  files = {
      "config.json": {"images": {"fingerprint": "0123456789abcdef"},
                      "versions": {"keras": "3", "jax": "0.10", "tensorflow": "2.21"},
                      "supernet": {"momentum_groups": "split"}},
      "supernet/method.json": {"split_decision_name": "3<-0", "backend": "jax"},
      "rank/statistics.json": {"count": 4, "tau_b": INTERVAL, "spearman": INTERVAL,
                               "tau_b_of_costs": {"params": INTERVAL, "macs": INTERVAL}},
      "search/found.json": {"index": 2},
      "measured.json": {"train": {"seconds": 1.0, "peak_mb": 10.0},
                        "rank": {"seconds": 1.0, "peak_mb": 20.0}},
  }
  for name, value in files.items():
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(json.dumps(value))
  (tmp_path / "supernet" / "log.csv").write_text("step,steps_per_second\n12,2\n24,0.1\n36,1\n")
  (tmp_path / "rank" / "ranking.csv").write_text(
      "index,accuracy\n0,0.1\n1,0.2\n2,0.4\n3,0.3\n")
  return tmp_path


def _table(*known):
  truth = np.full(15625, np.nan, np.float32)
  truth[:len(known)] = known
  return analysis.Table("made up", "nasbench201", {("cifar10", "test", 200): truth})


def test_a_row_tells_what_was_split_measured_and_found(row):
  told = experiment.describe(row, _table(10, 20, 30, 40))
  assert told["split"] == "3<-0" and told["images"] == "0123456789ab"
  assert told["tau_cifar10"] == "0.666667"  # Five of six pairs agree.
  assert (told["found"], told["top1_cifar10"]) == ("#2", "30")
  assert (told["peak_mb"], told["device_mb"], told["hours"]) == ("20", None, "0.01")
  assert told["versions"] == "jax-0.10 keras-3"
  assert (told["tau_low"], told["tau_high"]) == ("0.25", None)
  assert "tau_cifar100" not in told and "top1_cifar100" not in told


def test_a_stage_runs_once_and_what_it_was_told_must_not_change(tmp_path):
  written = tmp_path / "log"
  command = ["sh", "-c", f"echo once >> {written}"]
  for _ in range(2):
    experiment.run_stage(tmp_path, "rank", command, "--seed=0")
  assert written.read_text() == "once\n"
  with pytest.raises(errors.InputError, match="same flags.*'--seed=0' there, '--seed=1' here"):
    experiment.run_stage(tmp_path, "rank", command, "--seed=1")
  with pytest.raises(errors.InputError, match="status 0. Received: 3"):
    experiment.run_stage(tmp_path, "search", ["sh", "-c", "exit 3"], "")


def test_only_known_truths_count(row):
  told = experiment.describe(row, _table(10, 40, np.nan, 30))
  assert told["tau_cifar10"] == "0.333333" and told["top1_cifar10"] == ""
  assert "tau_cifar10" not in experiment.describe(row, _table(10))


def test_a_row_without_a_search_or_ms_says_nothing_of_them(row):
  (row / "search" / "found.json").unlink()
  (row / "config.json").write_text(json.dumps({
      "images": {"fingerprint": ""}, "versions": {}, "supernet": {"momentum_groups": "shared"}}))
  told = experiment.describe(row, _table(10, 20, 30, 40), searched=False)
  assert told["split"] == "" and not {"found", "top1_cifar10"} & set(told)


def test_the_greatest_memory_of_the_processes_of_a_training_is_kept(row, monkeypatch):
  part = row / "supernet" / "part_0"
  part.mkdir()
  for path, peak in ((row / "supernet", 3 << 20), (part, 7 << 20), (part, 5 << 20), (part, None)):
    monkeypatch.setattr(current, "peak_device_bytes", lambda peak=peak: peak)
    callbacks.DevicePeak(path / "device.json").on_epoch_end(0)
  assert json.loads((part / "device.json").read_text()) == {"peak_bytes": 7 << 20}
  assert experiment.describe(row, _table(10, 20, 30, 40))["device_mb"] == "7"


def test_a_cpu_has_no_memory_of_its_own(tmp_path):
  assert current.peak_device_bytes() is None
  callbacks.DevicePeak(tmp_path / "device.json").on_epoch_end(0)
  assert not list(tmp_path.iterdir())
