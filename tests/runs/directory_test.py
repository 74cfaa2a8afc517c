"""Whose a run directory is: the same settings, or those of before a setting was there."""

import json

import pytest

from tfdynnas import config
from tfdynnas import errors
from tfdynnas.runs import directory


def described(**data):
  return {
      "data": config.DataConfig(dataset="digits", **data).as_dict(),
      "images": {"fingerprint": "aa", "dataset": "digits", "image_shape": [8, 8, 3],
                 "classes": 10, "sizes": {"train": 898, "valid": 540}},
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


@pytest.mark.parametrize("part, value, message", [
    ("data.nope", 1, "Received: data.nope=1"),  # As a newer version may write it.
    ("data.dataset", 5, "data, `dataset` must be of str. Received: 5"),
    ("data.dataset", "", "data, Give one of `dataset`"),
    ("images.fingerprint", None, "images.fingerprint"),
    ("images.image_shape", "x", "images.image_shape='x'"),
    ("images.image_shape", [8, 8], r"images.image_shape=\[8, 8\]"),
    ("images.classes", True, "images.classes=True"),
    ("space.channels", None, "space, `channels` must be of int. Received: None"),
    ("supernet.epochs", "many", "supernet, `epochs` must be of int. Received: 'many'"),
    ("supernet.epochs", 0, "supernet, `epochs` must be >= 1"),
    ("devices", [], r"devices=\[\]"),
    ("few_shot", 3, "few_shot=3"),
    ("few_shot", {"few_shot_decision": 0}, "few_shot.few_shot_groups"),
    ("extra", 3, "extra=3"),
])
def test_a_config_of_another_content_is_refused_by_name(older, part, value, message):
  config_of = older.config()
  *parts, name = part.split(".")
  (config_of[parts[0]] if parts else config_of)[name] = value
  older.write_json("config.json", config_of)
  with pytest.raises(errors.InputError, match=f"config.json must hold .*{message}"):
    older.config()


def test_a_whole_number_is_a_float_too_and_every_part_is_needed(older):
  there = older.config()
  there["supernet"]["gamma"] = 1
  older.write_json("config.json", there)
  assert older.config() == there
  for part in there.keys() - {"versions"}:
    older.write_json("config.json", {**there, part: None})
    with pytest.raises(errors.InputError, match=f"Received: {part}=None"):
      older.config()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\0"])
def test_json_that_is_not_whole_is_refused(older, text):
  (older.path / "config.json").write_text(text)
  with pytest.raises(errors.InputError, match="config.json must be whole JSON"):
    older.config()


@pytest.mark.parametrize("text", ["{}", "[]", "3", '{"arch": []}', '{"arch": [0, "1"]}'])
@pytest.mark.parametrize("name", [
    "search/found.json", "search/recalibrated.json", "subnet/result.json", "supernet/method.json",
    "rank/statistics.json"])
def test_what_a_job_did_not_write_is_refused(older, name, text):
  (older.path / name).parent.mkdir()
  (older.path / name).write_text(text)
  with pytest.raises(errors.InputError, match=f"{name} must hold what this version writes"):
    older.read_json(name)


def test_a_file_in_the_place_of_a_folder_is_named(older):
  (older.path / "supernet").write_text("")
  with pytest.raises(errors.InputError, match="/supernet must be a folder. Received: a file"):
    older.write_json("supernet/part_0/method.json", {})


@pytest.mark.parametrize("name, value, kind", [
    ("epochs", 2.0, "int"), ("flip", 1, "bool"), ("schedule", None, "str"), ("l2", "0", "float")])
def test_a_setting_of_another_type_is_refused(name, value, kind):
  with pytest.raises(errors.InputError, match=f"`{name}` must be of {kind}. Received: "):
    config.SupernetConfig(**{name: value})
