"""The whole chain in parts, and what it does when it is run again."""

import pathlib
import re

import numpy as np
import pytest

from tests.tools import launcher

FLAGS = (*launcher.TINY, *launcher.SEARCH, "--epochs=1", "--trials=8", "--few_shot_decision=2",
         "--few_shot_groups=0,1;2", "--subnet_epochs=1", "--name=parts")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
  """(folder, what was printed) of the chain, run once."""
  run = tmp_path_factory.mktemp("chain") / "run"
  return run, launcher.succeed("nas", *FLAGS, f"--run_dir={run}")


def _servable(printed):
  return pathlib.Path(re.search(r"^  servable +(\S+)$", printed, re.MULTILINE).group(1))


def _versions(run):
  return sorted(path.name for path in (run / "servable" / "parts").iterdir())


def test_the_chain_trains_the_parts_one_after_the_other(chain):
  run, printed = chain
  for part in range(2):
    arrays, record, _ = launcher.training(run / "supernet" / f"part_{part}")
    assert record["step"] == 15 and all(np.isfinite(array).all() for array in arrays.values())
  assert _servable(printed) == run / "servable" / "parts" / "1" and _versions(run) == ["1"]
  flags = (run / "flags.cfg").read_text()
  assert "--few_shot_decision=2\n" in flags and "--few_shot_groups=0,1;2\n" in flags


def test_run_again_it_finds_its_servable_and_export_makes_another(chain):
  run, printed = chain
  assert launcher.succeed("nas", *FLAGS, f"--run_dir={run}") == printed
  assert _versions(run) == ["1"]
  same = ("--few_shot_decision=2", "--few_shot_groups=1,0;2")
  launcher.succeed("export", "--name=parts", *same, f"--run_dir={run}")
  assert _versions(run) == ["1", "2"]
  card = run / "servable" / "parts" / "2" / "arch.json"
  card.write_text(card.read_text().replace('"weights": "', '"weights": "of another'))
  assert _servable(launcher.succeed("nas", *FLAGS, f"--run_dir={run}")).name == "3"  # Is served.


@pytest.mark.parametrize("flag, expected", [
    ("--few_shot_groups=2;0,1", "--few_shot_groups must be that of the run, '0,1;2'"),
    ("--few_shot_decision=1", "--few_shot_decision must be that of the run, 2. Received: 1"),
])
def test_other_parts_are_refused_by_name(chain, flag, expected):
  result = launcher.run("search", *launcher.SEARCH, flag, f"--run_dir={chain[0]}")
  assert expected in launcher.refusal(result)


def test_parts_of_one_supernet_are_refused(trained):
  result = launcher.run("search", "--few_shot_decision=0", f"--run_dir={trained}")
  assert "--few_shot_decision needs a run in parts" in launcher.refusal(result)
