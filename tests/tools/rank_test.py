"""The rank tool: what it prints and refuses; a killed one ends as the unharmed one."""

import secrets

import numpy as np
import pytest

from tests.tools import launcher

SCORE = ("--score_images=64", "--score_batch=32")
TRUTH = ("--standalone=2", "--archs=all", "--subnet_epochs=1", "--subnet_batch=128",
         "--checkpoint_steps=2", *SCORE)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
  """Path of a table of the digits, in which each arch is better than those before it."""
  path = tmp_path_factory.mktemp("table") / "t.npz"
  np.savez(path, digits_test=np.linspace(20, 90, 27), space="small",
           ranking_subset=np.arange(0, 27, 3))
  return path


def test_the_taus_of_costs_stand_beside_that_of_the_supernet(trained, copy, table):
  run = copy(trained)
  told = launcher.succeed("rank", f"--run_dir={run}", f"--table={table}", *SCORE).splitlines()
  assert told[0] == (
      f"Ranked 9 archs (subset), 9 of them against {table}: digits test, 200 epochs")
  taus = {line[2:38].strip(): line[38:46].strip() for line in told if line.startswith("  tau-b")}
  assert list(taus) == [
      "tau-b, supernet",
      *(f"tau-b, {text.format(kind)}" for text in (
          "{} alone", "within thirds of {}", "supernet with {}", "rank mean with {}")
        for kind in ("complexity", "params", "macs"))]
  assert all(value == "-" or -1 <= float(value) <= 1 for value in taus.values())
  assert -1 <= float(taus["tau-b, params alone"]) <= 1  # Scores so early may all be the same.
  assert [line for line in told if "CB, own definition" in line]
  assert told[-1].strip() == str(run / "rank" / "ranking.csv")


def test_a_killed_ranking_ends_as_the_unharmed_one(trained, copy, tmp_path):
  run, seed = copy(trained), secrets.randbelow(2**31)
  flags = (*TRUTH, "--deterministic", f"--run_dir={run}")
  killed = [launcher.kill(seed + number, "rank", *flags) for number in range(launcher.KILLS)]
  launcher.succeed("rank", *flags)
  (tmp_path / "unharmed").mkdir()
  run.rename(tmp_path / "killed")
  other = copy(trained)
  launcher.succeed("rank", *TRUTH, "--deterministic", f"--run_dir={other}")
  for name in ("ranking.csv", "statistics.json"):
    left, unharmed = tmp_path / "killed" / "rank" / name, other / "rank" / name
    assert left.read_text() == unharmed.read_text(), f"seed {seed}, {sum(killed)} kills"


@pytest.mark.parametrize("tool, flags, expected", [
    ("rank", "--standalone=1", "Give one of `table` and `standalone` >= 2"),
    ("rank", "--archs=sample:none", "`archs` samples N >= 1"),
    ("make_table", "--nats=nowhere", "Give --nats=DOWNLOAD and --table=FILE.npz"),
    ("make_table", "--nats=nowhere --table=new.npz", "Received: nowhere, neither"),
])
def test_bad_input_is_refused_in_one_line(tmp_path, tool, flags, expected):
  run = () if tool == "make_table" else (f"--run_dir={tmp_path / 'run'}",)
  line = launcher.refusal(launcher.run(tool, *flags.split(), *run, cwd=tmp_path))
  assert line.startswith(f"{tool}.py: ") and expected in line
  assert not list(tmp_path.iterdir())
