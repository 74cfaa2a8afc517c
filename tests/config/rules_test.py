"""A field that means nothing beside the others is refused; in a run of before it is no error."""

import dataclasses

import pytest

from tfdynnas import config
from tfdynnas import errors
from tfdynnas.config import option

DIGITS, FOLDER = {"dataset": "digits"}, {"image_dir": "x"}
# (record, field, its value, what makes it mean something, what makes it mean nothing).
RULES = [
    (config.SupernetConfig, "gamma", 1.0, {"schedule": "polynomial"}, {"schedule": "cosine"}),
    (config.SupernetConfig, "gamma_max", 4.0, {"schedule": "reversed"}, {"schedule": "constant"}),
    (config.SupernetConfig, "calr_on", "lr", {"method": "fairnas"}, {"method": "spos"}),
    (config.SupernetConfig, "calr_on", "lr", {"method": "fairnas", "schedule": "calr"},
     {"method": "fairnas", "schedule": "cosine"}),
    (config.SupernetConfig, "random_paths", 2,
     {"method": "sandwich", "momentum_groups": "shared"}, {"method": "fairnas"}),
    (config.SupernetConfig, "budget", "macs:1-2", {"sampler": "budget"}, {"sampler": "uniform"}),
    (config.SupernetConfig, "split_decision", 0, {"momentum_groups": "random"},
     {"momentum_groups": "shared"}),
    (config.DeviceConfig, "step_seconds", 600.0, {"distribution": "multi_worker"},
     {"distribution": "mirrored"}),
    (config.ProbeConfig, "probe_archs", 40, {"probe_epochs": 1}, {}),
    (config.ProbeConfig, "probe_images", 1000, {"probe_epochs": 1}, {"probe_epochs": 0}),
    (config.SearchConfig, "parents", 10, {"search": "evolution"}, {"search": "pareto"}),
    (config.SearchConfig, "pareto_costs", ("params",), {"search": "pareto"}, {}),
    (config.LatencyConfig, "check_seed", 0, {"check": 2}, {}),
    (config.LatencyConfig, "quantize", "none", {"runtime": "litert"}, {"runtime": "tensorflow"}),
    (config.TruthConfig, "truth_dataset", "cifar10", {"table": "t"}, {}),
    (config.TruthConfig, "truth_split", "test", {"table": "t"}, {}),
    (config.TruthConfig, "truth_epochs", 200, {"table": "t"}, {"table": ""}),
    (config.RankConfig, "subset", "s", {"archs": "subset"}, {"archs": "all"}),
    (config.SpaceConfig, "cells", 5, {"space": "nasbench201"}, {"space": "mobilenet"}),
    (config.SpaceConfig, "width", 0.5, {"space": "mobilenet"}, {"space": "nasbench201"}),
    (config.SpaceConfig, "small", True, {"space": "mobilenet"}, {"space": "nasbench201"}),
    (config.SpaceConfig, "channels", 8, {"space": "my.module:make"}, None),
    (config.DataConfig, "data_dir", "d", {"dataset": "cifar10"}, FOLDER),
    (config.DataConfig, "data_dir", "d", {"dataset": "cifar10"}, DIGITS),
    (config.DataConfig, "download", True, {"dataset": "cifar10"}, {"record_dir": "x",
                                                                  "image_size": "8"}),
    (config.DataConfig, "data_seed", 0, DIGITS, {"dataset": "cifar10", "split_file": "s"}),
    (config.DataConfig, "orientation", "exif", FOLDER, DIGITS),
    (config.DataConfig, "background", "white", {"data_file": "x"}, DIGITS),
    (config.DataConfig, "max_pixels", 9, {"dataset": "cifar10"}, DIGITS),
    (config.PackConfig, "data_dir", "d", {"dataset": "cifar10", "data_file": "f"},
     {**FOLDER, "data_file": "f"}),
    (config.PackConfig, "download", True, {"dataset": "cifar10", "data_file": "f"},
     {**DIGITS, "data_file": "f"}),
]
KINDS = [kind for kind in vars(config).values()
         if isinstance(kind, type) and option.Config in kind.__mro__[1:]]


@pytest.mark.parametrize("kind, name, value, active, idle", RULES, ids=str)
def test_a_field_is_taken_where_it_means_something_and_refused_elsewhere(
    kind, name, value, active, idle):
  assert getattr(kind(**active, **{name: value}), name) == value
  if idle is None:
    return
  assert getattr(kind(**idle), name) is None
  with pytest.raises(errors.InputError, match=f"`{name}` needs .*. Received: "):
    kind(**idle, **{name: value})
  # A version before recorded it all the same, and its run opens.
  recorded = kind(**idle).as_dict()
  opened = kind.from_dict({**recorded, name: value})
  assert getattr(opened, name) is None and opened.as_dict() == recorded


def test_every_rule_is_tried():
  ruled = {(kind, field.name) for kind in KINDS for field in dataclasses.fields(kind)
           if field.metadata["rules"] and field.name != "pad"}
  tried = {(kind, name) for kind, name, *_ in RULES}
  inherited = {(kind, name) for kind, name in ruled
               if any((base, name) in ruled for base in kind.__mro__[1:])}
  assert ruled - inherited == tried


def test_a_rule_may_be_on_another_record():
  crops = config.DataConfig(image_dir="x", image_size="8", crop="resized")
  option.refuse_idle(crops, config.SupernetConfig())
  option.refuse_idle(config.DataConfig(dataset="digits"), config.SupernetConfig(pad=2))
  with pytest.raises(errors.InputError, match="`pad` needs crop=whole. Received: crop=resized"):
    option.refuse_idle(crops, config.SupernetConfig(pad=4))


def test_a_run_is_told_the_defaults_of_what_was_not_given():
  made = config.SupernetConfig(schedule="cosine")
  assert (made.gamma_max, made.pad, made.split_decision) == (None, None, None)
  recorded = made.as_dict()
  assert (recorded["gamma_max"], recorded["pad"], recorded["split_decision"]) == (4.0, 4, -1)
  assert made.value("pad") == 4
  assert config.SupernetConfig().gamma_max == 4.0


@pytest.mark.parametrize("kind, name, value", [
    (config.SupernetConfig, "split_decision", -1), (config.SearchConfig, "max_params", 0),
    (config.ScoreConfig, "score_images", 0), (config.NetworkConfig, "arch", ""),
    (config.SpaceConfig, "fix", ""), (config.ProbeConfig, "probe_epochs", 0),
])
def test_what_stood_for_none_before_is_none(kind, name, value):
  assert getattr(kind(**{name: value}), name) is None
  assert getattr(kind(**{name: None}), name) is None
  assert kind().as_dict()[name] == value


def test_what_is_needed_cannot_be_none():
  with pytest.raises(errors.InputError, match="`seed` must be of int. Received: None"):
    config.SupernetConfig(seed=None)
