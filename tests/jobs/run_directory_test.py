"""Whose a run directory is: the same settings, or those of before a setting was there."""

import dataclasses
import json

import pytest

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas.jobs import experiment
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import score_log
from tfdynnas.jobs import setup
from tfdynnas.jobs import trained
from tfdynnas.serving import version_folder
from tfdynnas.spaces import costs


def described(**data):
  return {
      "data": config.DataConfig(**{"dataset": "digits", **data}).as_dict(),
      "images": {"fingerprint": "aa", "dataset": "digits", "image_shape": [8, 8, 3],
                 "classes": 10, "sizes": {"train": 898, "valid": 540}},
      "space": config.SpaceConfig().as_dict(), "supernet": config.SupernetConfig().as_dict(),
      "devices": {"replicas": 1},
  }


def _keep(run_dir):
  """Makes a checkpoint, as of a run that is more than its claim."""
  (run_dir.path / "standalone").mkdir()
  (run_dir.path / "standalone" / "checkpoint.npz").write_text("")


@pytest.fixture
def older(tmp_path):
  """A run that was begun before some settings were there."""
  run_dir = run_directory.RunDir(tmp_path / "run", create=True)
  run_dir.claim(described(), "")
  _keep(run_dir)
  there = json.loads((run_dir.path / "config.json").read_text())
  del there["data"]["data_file"], there["data"]["valid_share"]
  del there["supernet"]["sampler"], there["images"]["dataset"]
  (run_dir.path / "config.json").write_text(json.dumps(there))
  return run_dir


def test_a_run_of_before_a_setting_was_there_is_gone_on_with(older):
  older.claim(described(), "")


def test_what_was_not_there_then_counts_as_its_default(older):
  with pytest.raises(errors.InputError, match="valid_share=0.0 there, 0.25 here"):
    older.claim(described(valid_share=0.25), "")


def test_a_run_whose_size_was_an_int_is_of_the_text(older):
  there = json.loads((older.path / "config.json").read_text())
  there["images"]["valid_share"] = there["data"]["valid_share"] = 0.5
  del there["data"]["test_share"]  # Of before that one, when a share that was not given was 0.5.
  there["data"]["image_size"] = 8
  older.write_json("config.json", there)
  now = described(image_size="8x8")
  now["images"]["valid_share"] = 0.5
  older.claim(now, "")
  assert older.config()["data"]["image_size"] == now["data"]["image_size"] == "8"
  # What its checkpoints were told is what was written then.
  ((_, identity),) = trained.trainings(older)
  assert (identity["data.image_size"], identity["data.valid_share"]) == (8, 0.5)
  now["data"]["image_size"] = "8x16"
  with pytest.raises(errors.InputError, match="image_size='8' there, '8x16' here"):
    older.claim(now, "")


def test_a_run_of_before_decodes_image_files_as_it_did_then(older):
  there, folder = older.read_json("config.json"), {"dataset": None, "image_dir": "photos"}
  there["data"] = described(**folder)["data"]
  older.write_json("config.json", there)
  asked = config.DataConfig(**folder)
  assert older.settled(asked) == asked  # A run of now decodes as it was told.
  for name in ("orientation", "background", "max_pixels"):
    del there["data"][name]
  older.write_json("config.json", there)
  then = {"orientation": "stored", "background": "none", "max_pixels": 178_956_970}
  for found in (older.config()["data"], older.settled(asked).as_dict()):
    assert {name: found[name] for name in then} == then
  older.claim(described(**folder, **then), "")
  given = older.settled(dataclasses.replace(asked, background="black"))
  with pytest.raises(errors.InputError, match="background='none' there, 'black' here"):
    older.claim(described(**folder, **{**then, "background": given.background}), "")


def test_a_run_of_before_on_images_without_files_is_gone_on_with(older):
  there = older.read_json("config.json")
  for name in ("orientation", "background", "max_pixels"):
    del there["data"][name]
  there["supernet"]["gamma"] = 2.0  # Of a schedule that has none: it was recorded, and is nothing.
  older.write_json("config.json", there)
  asked = config.DataConfig(dataset="digits")
  assert older.settled(asked) == asked
  older.claim(described(), "")


def test_a_run_of_other_records_is_gone_on_with_and_its_checkpoints_are_its_own(older):
  there = json.loads((older.path / "config.json").read_text())
  there["data"]["valid_share"], there["images"]["skipped"] = 0.5, {".txt": 1}
  del there["data"]["test_share"]
  (older.path / "config.json").write_text(json.dumps(there))
  older.claim(described(), "")
  ((name, identity),) = trained.trainings(older)  # Checkpoints of then hold what was written then.
  assert name == "supernet" and identity["data.valid_share"] == 0.5
  assert identity["images.skipped"] == {".txt": 1} and "data.test_share" not in identity


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
    ("supernet.seed", None, "supernet, `seed` must be of int. Received: None"),
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


_NETWORK = {"arch": [0], "string": "a", "params": 1, "macs": 1, "accuracy": 0.5}
_TAU = {"value": 0.5, "low": None, "high": None}
# What each job writes, and numbers in it that cannot be.
_WRITTEN = {
    "search/found.json": (
        {**_NETWORK, "trial": 0, "trials": 1},
        {"accuracy": 7.5, "balanced_accuracy": -0.1, "params": -1, "macs": 1.5, "trials": 0,
         "trial": -1, "arch": [-1], "front": [-1], "majority_accuracy": float("nan")}),
    "subnet/result.json": (
        {**_NETWORK, "part": "test"},
        {"accuracy": float("inf"), "params": 10**400, "by_class": {"right": [-1], "images": [1]}}),
    "search/recalibrated.json": (
        {"arch": [0], "accuracy": 1, "images": 10, "seconds": 0.5},
        {"accuracy": -1e-9, "images": -1, "seconds": -0.5}),
    "supernet/method.json": (
        {"steps": 1, "groups": 1, "split_decision_name": "a"}, {"steps": -1, "groups": 0}),
    "rank/statistics.json": (
        {"ranked": {"archs": "all", "count": 1}, "tau_b": _TAU, "tau_b_of_costs": {"params": _TAU},
         "count": 1, "interval": {"level": 0.95}, "precision_at": {"1": 1}, "regret_at": {"1": 9}},
        {"tau_b": {**_TAU, "value": 1.5}, "count": -1, "interval": {"level": 95},
         "precision_at": {"1": 100}, "regret_at": {"1": float("nan")},
         "tau_b_of_costs": {"params": _TAU, "macs": {**_TAU, "low": -1.5}}}),
}


@pytest.mark.parametrize("name, key", [
    (name, key) for name, (_, wrong) in _WRITTEN.items() for key in wrong])
def test_numbers_that_cannot_be_are_refused_by_name(older, name, key):
  good, wrong = _WRITTEN[name]
  older.write_json(name, good)
  assert older.read_json(name) == good
  (older.path / name).write_text(json.dumps({**good, key: wrong[key]}))
  with pytest.raises(errors.InputError, match=f"{name} must hold .* Received: {key}[.=[]"):
    older.read_json(name)


@pytest.mark.parametrize("arch", [[0], [9] * 6, [10**30] * 6])
def test_an_arch_of_another_space_is_refused_with_its_file(older, arch):
  for name, read in (("search/found.json", lambda: jobs.signal_note(older, "")),
                     ("subnet/result.json", lambda: jobs.run_report(older))):
    good, _ = _WRITTEN[name]
    older.write_json(name, {**good, "arch": arch})
    with pytest.raises(errors.InputError, match=f"{name} must hold an arch. Received: ") as error:
      read()
    assert len(str(error.value)) < 500
    (older.path / name).unlink()


def test_a_log_without_rows_is_refused_with_its_file(older):
  (older.path / "supernet").mkdir()
  (older.path / "supernet" / "log.csv").write_text("step,steps_per_second\n")
  with pytest.raises(errors.InputError, match="log.csv must have a row for each epoch"):
    experiment._hours(older.path)


def test_a_score_of_an_arch_beyond_the_space_is_refused_with_its_line(tmp_path):
  path = tmp_path / "scores.jsonl"
  path.write_text('{"identity": {}}\n{"index": 4, "accuracy": 0.5, "loss": 1.0}\n')
  assert score_log.ScoreLog(path, {}, 5).scores[4]["accuracy"] == 0.5
  with pytest.raises(errors.InputError, match="Line 2 of .*scores.jsonl must .*index=4"):
    score_log.ScoreLog(path, {}, 4)


@pytest.mark.parametrize("change", [{"fixed": -1}, {"rows": [[1e10] * 5] * 6}, {"rows": [[1]] * 6}])
def test_latencies_that_cannot_be_are_refused_with_their_file(older, tmp_path, change):
  space = setup.stored_space(older.config())
  table = {"space": costs.describe(space), "fixed": 1.0, "rows": [[1.0] * 5] * 6}
  path = tmp_path / "latency.json"
  path.write_text(json.dumps(table))
  assert costs.read_latency(space, path).costs["latency"].fixed == 1
  path.write_text(json.dumps({**table, **change}))
  with pytest.raises(errors.InputError, match="latency.json: A latency "):
    costs.read_latency(space, path)


def test_a_file_in_the_place_of_a_folder_is_named(older):
  (older.path / "supernet").write_text("")
  with pytest.raises(errors.InputError, match="/supernet must be a folder. Received: a file"):
    older.write_json("supernet/part_0/method.json", {})


@pytest.mark.parametrize("name, value, kind", [
    ("epochs", 2.0, "int"), ("flip", 1, "bool"), ("schedule", None, "str"), ("l2", "0", "float")])
def test_a_setting_of_another_type_is_refused(name, value, kind):
  with pytest.raises(errors.InputError, match=f"`{name}` must be of {kind}. Received: "):
    config.SupernetConfig(**{name: value})


def test_costs_and_archs_without_a_signal_are_told_before_a_job(tmp_path):
  run_dir = run_directory.RunDir(tmp_path / "run", create=True)
  run_dir.claim(described(), "")
  space = setup.stored_space(run_dir.config())
  line = jobs.cost_ranges(run_dir, config.SearchConfig())
  # One convolution of 1x1 or 3x3 on each of six edges, at most.
  assert line == (
      f"params {72752 + 554:,} to {72752 + 554 + 6 * (241920 + 1120):,}, "
      "macs {:,} to {:,}".format(*space.bounds("macs")))
  assert "bytes 293,224 to" in jobs.cost_ranges(run_dir, config.SearchConfig(max_bytes=10**6))
  narrowed = jobs.cost_ranges(run_dir, config.SearchConfig(fix="*!=nor_conv_3x3"))
  assert narrowed.startswith(f"params {72752 + 554:,} to {72752 + 554 + 6 * (26880 + 1120):,}, ")
  assert jobs.signal_note(run_dir, "#14001") == ""
  assert "no signal passes from input to output" in jobs.signal_note(run_dir, "#14000")
  with pytest.raises(errors.InputError, match="search .* first"):
    jobs.signal_note(run_dir, "")


def test_a_command_that_is_refused_before_the_claim_leaves_nothing(tmp_path):
  run_dir = run_directory.RunDir(tmp_path / "new" / "run", create=True)
  assert not list(tmp_path.iterdir())
  run_dir.claim(described(), "")
  with pytest.raises(errors.InputError, match="`run_dir` must be free"):
    run_directory.RunDir(tmp_path / "new" / "run")
  run_dir.close()
  run_directory.RunDir(tmp_path / "new" / "run").close()


def _left_by_a_start(run_dir):
  """What a training leaves that ends before its first checkpoint, as of too large a batch."""
  run_dir.write_json("supernet/part_1/method.json", {})
  for name in ("data.txt", "supernet/part_1/.lock", "supernet/part_1/events/train/events.out.v2"):
    (run_dir.path / name).parent.mkdir(parents=True, exist_ok=True)
    (run_dir.path / name).write_text("")


def _of_seed(seed):
  return {**described(), "supernet": config.SupernetConfig(seed=seed).as_dict()}


@pytest.mark.parametrize("shared", [False, True])
def test_a_claim_of_which_nothing_came_gives_way_to_another(tmp_path, shared):
  run_dir = run_directory.RunDir(tmp_path / "run", create=True, shared=shared)
  run_dir.claim(described(), "--seed=0")
  _left_by_a_start(run_dir)
  run_dir.close()
  run_dir = run_directory.RunDir(tmp_path / "run", create=True, shared=shared)
  assert run_dir.claimed and not run_dir.begun
  run_dir.claim(_of_seed(1), "--seed=1")
  assert run_dir.config()["supernet"]["seed"] == 1
  assert (run_dir.path / "flags.cfg").read_text() == "--seed=1"
  assert not (run_dir.path / "supernet").exists()
  _keep(run_dir)
  with pytest.raises(errors.InputError, match="seed=1 there, 2 here"):
    run_dir.claim(_of_seed(2), "--seed=2")


def test_a_claim_that_others_work_by_does_not_give_way(tmp_path):
  first = run_directory.RunDir(tmp_path / "run", create=True, shared=True)
  first.claim(described(), "")
  second = run_directory.RunDir(tmp_path / "run", shared=True)
  second.claim(described(), "")
  watching = run_directory.RunDir(tmp_path / "run", locked=False)  # As a worker of the first.
  for run_dir in (second, watching):
    with pytest.raises(errors.InputError, match="seed=0 there, 1 here"):
      run_dir.claim(_of_seed(1), "")
  first.close()
  run_directory.RunDir(tmp_path / "run", shared=True).close()
  second.close()
  alone = run_directory.RunDir(tmp_path / "run", shared=True)
  alone.claim(_of_seed(1), "")
  beside = run_directory.RunDir(tmp_path / "run", shared=True)  # It is shared again.
  assert beside.config()["supernet"]["seed"] == 1


def test_a_run_that_cannot_be_trained_there_is_not_claimed(tmp_path):
  (tmp_path / "supernet").write_text("")
  run_dir = run_directory.RunDir(tmp_path, create=True)
  with pytest.raises(errors.InputError, match="supernet must be a folder"):
    run_dir.claim(described(), "")
  assert [path.name for path in tmp_path.iterdir()] == ["supernet"]


def test_of_two_that_begin_the_same_run_one_claims_it(tmp_path):
  first, second = (run_directory.RunDir(tmp_path / "run", create=True) for _ in range(2))
  second.claim(described(), "")
  with pytest.raises(errors.InputError, match="`run_dir` must be free"):
    first.claim(described(), "")
  second.close()
  first.claim(described(), "")


@pytest.mark.parametrize("name", ["exp[1]", "a*", "what?", "back\\slash"])
def test_a_name_that_passes_for_a_pattern_is_refused_unless_a_run_is_there(tmp_path, name):
  with pytest.raises(errors.InputError, match="`run_dir` must be without"):
    run_directory.RunDir(tmp_path / name, create=True)
  assert not list(tmp_path.iterdir())
  older = run_directory.RunDir(tmp_path / "run", create=True)
  older.claim(described(), "")
  older.close()
  (tmp_path / "run").rename(tmp_path / name)
  assert run_directory.RunDir(tmp_path / name, create=True).config()["devices"] == {"replicas": 1}
  for make in (lambda: config.ExportConfig(export_dir=str(tmp_path / name)),
               lambda: version_folder.write_version(tmp_path / name, "m", lambda folder: None)):
    with pytest.raises(errors.InputError, match="_dir` must be without"):
      make()
