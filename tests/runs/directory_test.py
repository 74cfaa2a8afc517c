"""Whose a run directory is: the same settings, or those of before a setting was there."""

import json

import pytest

from tfdynnas import config
from tfdynnas import errors
from tfdynnas.runs import directory


def described(**data):
  return {
      "data": config.DataConfig(dataset="digits", **data).as_dict(),
      "images": {"fingerprint": "aa", "dataset": "digits"},
      "space": config.SpaceConfig().as_dict(), "supernet": config.SupernetConfig().as_dict(),
      "devices": {"replicas": 1},
  }


@pytest.fixture
def older(tmp_path):
  """A run that was begun before some settings were there."""
  run_dir = directory.RunDir(tmp_path / "run", create=True)
  run_dir.claim(described(), "")
  there = json.loads((run_dir.path / "config.json").read_text())
  del there["data"]["data_file"], there["data"]["valid_share"]
  del there["supernet"]["sampler"], there["images"]["dataset"]
  (run_dir.path / "config.json").write_text(json.dumps(there))
  return run_dir


def test_a_run_of_before_a_setting_was_there_is_gone_on_with(older):
  older.claim(described(), "")


def test_what_was_not_there_then_counts_as_its_default(older):
  with pytest.raises(errors.InputError, match="valid_share=0.5 there, 0.25 here"):
    older.claim(described(valid_share=0.25), "")


def test_other_images_are_refused(older):
  other = described()
  other["images"]["fingerprint"] = "bb"
  with pytest.raises(errors.InputError, match="fingerprint='aa' there, 'bb' here"):
    older.claim(other, "")
