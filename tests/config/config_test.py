"""Every count that a flag may ask for has an end."""

import dataclasses

import pytest

from tfdynnas import analysis
from tfdynnas import config
from tfdynnas import errors
from tfdynnas import image_size
from tfdynnas import jobs
from tfdynnas import spaces
from tfdynnas.config import option
from tfdynnas.jobs import archs

KINDS = [kind for kind in vars(config).values()
         if isinstance(kind, type) and option.Config in kind.__mro__[1:]]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_whole_numbers_have_bounds_on_both_sides(kind):
  for field in dataclasses.fields(kind):
    if option.kind(field) is int:
      rules = field.metadata
      assert rules["least"] is not None, field.name
      assert rules["most"] is not None or rules["below"] is not None, field.name


def test_counts_that_no_machine_comes_to_the_end_of_are_refused():
  assert config.RankConfig(archs="sample:1000000").archs == "sample:1000000"
  with pytest.raises(errors.InputError, match="stratified:N. Received: 'sample:9"):
    config.RankConfig(archs="sample:99999999999")
  with pytest.raises(errors.InputError, match="`check` must be <= 100000. Received: 1099511627776"):
    config.LatencyConfig(check=2**40)
  with pytest.raises(errors.InputError, match="`batch` must be <= 1048576. Received: 2147483648"):
    config.SupernetConfig(batch=2**31)
  with pytest.raises(errors.InputError, match="at most 1,000,000. Received: 1000001"):
    archs.sampled(spaces.mobilenet(image_size=32, classes=10), 1_000_001, 0)


@pytest.mark.parametrize("given, kept, size", [
    ("", None, None), ("0", None, None), (0, None, None), (None, None, None),
    ("32", "32", 32), (32, "32", 32),
    ("96x256", "96x256", (96, 256)), ("256x96", "256x96", (256, 96)), ("032x32", "32", 32),
    ("16384x1", "16384x1", (16384, 1)),
])
def test_a_size_has_one_text(given, kept, size):
  made = config.DataConfig(dataset="digits", image_size=given)
  assert made.image_size == kept and image_size.read(kept) == size
  assert config.DataConfig.from_dict(made.as_dict()) == made


@pytest.mark.parametrize("given", [
    "x", "8x", "x8", "8x0", "0x8", "8X8", "8x8x3", "-8", -8, " 8", "8.5", "16385", "1x16385",
    "9" * 9, 8.0, True, (8, 8),
])
def test_what_is_no_size_is_refused(given):
  with pytest.raises(errors.InputError, match="`image_size` must .*Received: "):
    config.DataConfig(dataset="digits", image_size=given)


def test_a_training_begun_before_a_setting_was_there_is_the_one_with_its_default():
  before = config.SubnetConfig().identity()
  assert "class_weights" not in before and before["subnet_l2"] == 5e-4
  assert config.SubnetConfig(class_weights="balanced").identity() == {
      **before, "class_weights": "balanced"}
  assert config.SubnetConfig().as_dict() == {**before, "class_weights": "none"}


_ENDLESS = 10**5000  # Of more digits than Python writes.


@pytest.mark.parametrize("make, message", [
    (lambda: config.SupernetConfig(seed=_ENDLESS),
     "`seed` must be a number up to 2.*53. Received: a number of thousands of digits"),
    (lambda: config.SupernetConfig(momentum=-_ENDLESS),
     "`momentum` must be a number up to 2.*53. Received: a number of thousands of digits"),
    (lambda: config.SearchConfig(pareto_costs=(_ENDLESS,)), "`pareto_costs` must be of str"),
    (lambda: config.SupernetConfig(schedule="9" * 5000), "`schedule` must be one of"),
    (lambda: config.DataConfig(dataset="x" * 5000, data_file="y"), "Give one of `dataset`"),
    (lambda: config.DataConfig(image_dir="a" * 256), "`image_dir` must be a path of at most"),
    (lambda: config.RankConfig(table="a/" * 2048), "`table` must be a path of at most 4,095 bytes"),
    (lambda: config.LatencyConfig(latency_table="\u00e9" * 128), "255 each name"),
    (lambda: jobs.RunDir("a" * 256, create=True), "`run_dir` must be a path of at most"),
    (lambda: jobs.RunDir("a\0", create=True), "`run_dir` must be without NUL"),
    (lambda: jobs.RunDir("\udcff"), "`run_dir` must be of UTF-8"),
    (lambda: analysis.load_table("a" * 256), "`table` must be a file"),
])
def test_values_without_end_are_refused_in_a_short_line(make, message):
  with pytest.raises(errors.InputError, match=message) as error:
    make()
  assert len(str(error.value)) < 500


def test_names_that_a_file_can_have_are_taken():
  config.DataConfig(image_dir="a" * 255)
  config.LatencyConfig(latency_table="\u00e9" * 127)
  config.RankConfig(table="a/" * 2047)
