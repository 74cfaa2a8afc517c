"""A training that is looked at ends in the same bits, killed or not, on one device or two."""

import json
import secrets

from tests.tools import launcher

LOOK = ("--probe_epochs=1", "--probe_archs=8", "--probe_images=64")


def _lines(folder):
  text = (folder / "supernet" / "probes.jsonl").read_text()
  return [json.loads(line) for line in text.splitlines()]


def test_looking_changes_no_bit_and_a_kill_loses_no_line(trained, tmp_path):
  run = ("train_supernet", *launcher.TRAIN, *LOOK)
  launcher.succeed(*run, f"--run_dir={tmp_path / 'unharmed'}")
  unharmed = launcher.training(trained / "supernet")
  assert not launcher.difference(unharmed, launcher.training(tmp_path / "unharmed" / "supernet"))
  lines = _lines(tmp_path / "unharmed")
  assert [line["step"] for line in lines] == [15, 30]
  for line in lines:
    assert len(line["archs"]) == 8 and [row["class"] for row in line["classes"]] == [0, 1, 2, 3]
    assert line["cosines"]["within"] is not None and line["momentum"]["own"] is not None
  rates = [row["learning_rate"] for row in lines[0]["classes"]]
  assert rates == sorted(rates) and rates[0] < rates[3]  # Small subnets decay faster.
  seed = secrets.randbelow(2**31)
  killed = launcher.kill(seed, *run, f"--run_dir={tmp_path / 'killed'}")
  launcher.succeed(*run, f"--run_dir={tmp_path / 'killed'}")
  left = launcher.training(tmp_path / "killed" / "supernet")
  assert not launcher.difference(unharmed, left), (seed, killed)
  assert _lines(tmp_path / "killed") == lines, (seed, killed)


def test_two_devices_are_looked_at_too(tmp_path):
  launcher.succeed(
      "train_supernet", *launcher.TINY, *LOOK, "--batch=64", "--distribution=mirrored",
      "--devices=CPU:0,CPU:1", "--epochs=1", f"--run_dir={tmp_path}")
  (line,) = _lines(tmp_path)
  assert line["step"] == 15 and line["momentum"]["own"] is not None
