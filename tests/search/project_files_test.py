"""Files of a search that were cut, flipped, or hold scores that cannot be are refused by name."""

import json
import random

import pytest

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import stock_oracles
from tfdynnas.search import tuner as tuner_lib

SMALL = spaces.cell_space("small", [spaces.Operation("skip", "identity"),
                                    spaces.Operation("conv", "conv", 3)], nodes=3)
FLIPS = 40
FILES = ("trial_1/trial.json", "oracle.json", "tuner0.json")


def _tuner(folder):
  oracle = stock_oracles.GridSearchOracle(objective=oracle_lib.objective(), max_trials=4, seed=0)
  return tuner_lib.SupernetTuner(
      oracle, SMALL, lambda arch: {"accuracy": sum(arch) / 4, "loss": 1.0}, folder, "p")


@pytest.fixture
def searched(tmp_path):
  _tuner(tmp_path).search()
  return tmp_path


@pytest.mark.parametrize("part, value", [
    ("score", float("nan")), ("score", "1"), ("score", None), ("accuracy", 7.5), ("accuracy", -0.5),
    ("accuracy", float("inf")), ("accuracy", True), ("loss", float("nan"))])
def test_scores_that_cannot_be_are_refused_by_name(searched, part, value):
  path = searched / "p" / "trial_1" / "trial.json"
  state = json.loads(path.read_text())
  if part == "score":
    state["score"] = value
  else:
    state["metrics"]["metrics"][part]["observations"][0]["value"] = [value]
  path.write_text(json.dumps(state))
  with pytest.raises(errors.InputError, match=f"anew.*trial_1/trial.json must hold .*{part}"):
    _tuner(searched)


@pytest.mark.parametrize("name", FILES)
def test_what_is_cut_or_flipped_is_read_as_json_of_its_kind_or_refused(searched, name):
  path, rng, refused = searched / "p" / name, random.Random(0), 0
  whole = path.read_bytes()
  for _ in range(FLIPS):
    damaged = bytearray(whole)
    for place in rng.sample(range(len(whole)), 2):
      damaged[place] ^= 1 << rng.randrange(8)
    path.write_bytes(damaged[:rng.choice([len(whole), rng.randrange(len(whole))])])
    try:
      _tuner(searched).history()
    except errors.InputError as error:
      refused += 1
      assert str(searched / "p") in str(error)
  assert refused > FLIPS / 2
