"""Launchers that are killed at random moments, then run again, end as those never killed.

TFDYNNAS_KILLS sets how often each is killed (2); tools/kill_soak.py does it more often.
"""

import secrets

from tests.tools import launcher


def _kill_and_finish(tool, *flags):
  """Runs a launcher that is killed again and again until it ends; returns what to tell of it."""
  seed = secrets.randbelow(2**31)
  killed = [launcher.kill(seed + number, tool, *flags) for number in range(launcher.KILLS)]
  launcher.succeed(tool, *flags)
  return f"seed {seed}, {sum(killed)} kills"


def test_killed_training_ends_in_the_same_bits(trained, tmp_path):
  told = _kill_and_finish("train_supernet", *launcher.TRAIN, f"--run_dir={tmp_path}")
  left = launcher.training(tmp_path / "supernet")
  assert not launcher.difference(launcher.training(trained / "supernet"), left), told
  assert not list(tmp_path.rglob("*.partial"))


def test_killed_subnet_ends_in_the_same_bits(finished, trained, copy):
  run = copy(trained)
  told = _kill_and_finish("train_subnet", *launcher.SUBNET, f"--run_dir={run}")
  left = launcher.training(run / "subnet_23")
  assert not launcher.difference(launcher.training(finished / "subnet_23"), left), told
  assert (run / "subnet_23" / "result.json").read_text() == (
      finished / "subnet_23" / "result.json").read_text(), told


def test_killed_search_proposes_the_same_trials(searched, trained, copy):
  run = copy(trained)
  told = _kill_and_finish("search", *launcher.SEARCH, f"--run_dir={run}")
  for name in ("trials.csv", "found.json"):
    left, unharmed = run / "search" / name, searched / "search" / name
    assert left.read_text() == unharmed.read_text(), told
