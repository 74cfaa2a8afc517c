"""What every space must do, on NAS-Bench-201 and on a user's own."""

import dataclasses
import json

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import spaces

OWN = spaces.cell_space(
    "own",
    [
        spaces.Operation("skip", "identity"),
        spaces.Operation("conv5", "conv", 5),
        spaces.Operation("max3", "max_pool", 3),
    ],
    nodes=3,
    skeleton=spaces.Skeleton(channels=4, cells=2, image_size=8, classes=3),
)
FLAT = spaces.Space(
    "flat",
    (spaces.Decision("first", ("a", "b", "c")), spaces.Decision("second", ("x", "y"))),
    {"complexity": spaces.Cost(10, ((0, 1, 5), (7, 2)))},
)
CHAIN = spaces.layer_space(
    "chain",
    [spaces.Block("gone", 0), spaces.Block("mb2", 2, 3), spaces.Block("mb1", 1, 5)],
    spaces.LayerSkeleton(
        (spaces.Stage(4, 2, 2), spaces.Stage(4, 1)), stem=3, stem_stride=1, first=2, last=5,
        image_size=7, classes=3,
    ),
)
ALL = [spaces.nasbench201(), OWN, FLAT, CHAIN, spaces.mobilenet()]


@pytest.mark.parametrize("space", ALL, ids=lambda space: space.name)
def test_round_trips(space):
  rng = np.random.default_rng(0)
  for _ in range(20):
    arch = space.sample(rng)
    assert space.validate(np.array(arch)) == arch
    assert space.parse(space.format(arch)) == arch
    assert space.arch(space.index(arch)) == arch


@pytest.mark.parametrize("space", ALL, ids=lambda space: space.name)
def test_bounds_are_reached_and_costs_add_up(space):
  fixed, table = space.table("complexity")
  costs = [space.cost(space.arch(index), "complexity") for index in range(min(space.size, 2000))]
  arch = space.sample(np.random.default_rng(1))
  assert space.cost(arch, "complexity") == fixed + sum(table[d, c] for d, c in enumerate(arch))
  least, greatest = space.bounds("complexity")
  assert space.cost(space.smallest(), "complexity") == least <= min(costs)
  assert space.cost(space.largest(), "complexity") == greatest >= max(costs)


def test_ragged_table_by_hand():
  assert FLAT.bounds("complexity") == (12, 22)
  assert FLAT.cost((2, 1), "complexity") == 17
  assert FLAT.table("complexity")[1].tolist() == [[0, 1, 5], [7, 2, 0]]
  assert FLAT.format((1, 0)) == "b|x"


def test_own_cell_cost_by_hand():
  conv5 = 2 * 25 * (4 * 4 + 8 * 8 + 16 * 16)
  fixed = 27 * 4 + (9 * 4 * 8 + 9 * 64 + 32) + (9 * 8 * 16 + 9 * 256 + 128) + 16 * 3
  assert OWN.cost((1, 0, 2), "complexity") == fixed + conv5


def test_own_chain_cost_by_hand():
  assert [d.choices for d in CHAIN.decisions] == [("mb2", "mb1"), *[("gone", "mb2", "mb1")] * 2]
  # 7 pixels, and 4 behind the first layer: stem, first block, last convolution, classifier;
  fixed = 27 * 3 + 9 * 3 + 3 * 2 + 4 * 5 + 5 * 3
  macs = (27 * 3 + 9 * 3 + 3 * 2) * 49 + 4 * 5 * 16 + 5 * 3
  # then mb1 on 2 channels, nothing, and mb2 on 4.
  arch = (1, 0, 1)
  kernels = (2 * 2 + 25 * 2 + 2 * 4) + (4 * 8 + 9 * 8 + 8 * 4)
  assert CHAIN.cost(arch, "complexity") == fixed + 3 + kernels
  affine = 2 * (3 + 3 + 2 + 5) + 2 * (2 + 2 + 4) + 2 * (8 + 8 + 4)
  assert CHAIN.cost(arch, "params") == fixed + 3 + kernels + affine
  assert CHAIN.cost(arch, "macs") == (
      macs + 2 * 2 * 49 + (25 * 2 + 2 * 4) * 16 + (4 * 8 + 9 * 8 + 8 * 4) * 16)
  assert CHAIN.format(arch) == "mb1|gone|mb2"
  assert [block.name for block in CHAIN.chosen(arch)] == ["mb1", "gone", "mb2"]
  assert CHAIN.live(arch) == (True,) * 3 and CHAIN.passes(1, 0)


@pytest.mark.parametrize("kind", ["complexity", "params"])
def test_weights_do_not_depend_on_the_size(kind):
  wide = spaces.nasbench201(channels=2, cells=3, image_size=(12, 20))
  square = spaces.nasbench201(channels=2, cells=3, image_size=12)
  assert wide.costs[kind] == square.costs[kind]


def test_macs_of_a_cell_space_of_12x20_by_hand():
  space = spaces.nasbench201(channels=2, cells=3, image_size=(12, 20), classes=7)
  assert space.skeleton.stage_sizes == ((12, 20), (6, 10), (3, 5))
  # Stem; the blocks before 6x10 and 3x5, two 3x3 and the shortcut; the classifier.
  fixed = 27 * 2 * 240 + (9 * 2 * 4 + 9 * 4 * 4 + 2 * 4) * 60 + (9 * 4 * 8 + 9 * 8 * 8 + 4 * 8) * 15
  one = 3 * (2 * 2 * 240 + 4 * 4 * 60 + 8 * 8 * 15)  # A 1x1 in each of three cells of each stage.
  assert space.cost((0, 1, 2, 3, 4, 3), "macs") == fixed + 8 * 7 + one + 2 * 9 * one


def test_macs_of_a_chain_of_7x10_by_hand():
  blocks, skeleton = CHAIN.blocks, dataclasses.replace(CHAIN.skeleton, image_size=[7, 10])
  space = spaces.layer_space("chain", blocks, skeleton)
  assert [layer.size for layer in skeleton.layers] == [(7, 10), (4, 5), (4, 5)]
  fixed = (27 * 3 + 9 * 3 + 3 * 2) * 70 + 4 * 5 * 20 + 5 * 3
  first, last = 2 * 2 * 70 + (25 * 2 + 2 * 4) * 20, (4 * 8 + 9 * 8 + 8 * 4) * 20
  assert space.cost((1, 0, 1), "macs") == fixed + first + last
  assert space.cost((1, 0, 1), "params") == CHAIN.cost((1, 0, 1), "params")


def test_a_pair_of_equal_sides_is_the_int_that_records_hold():
  pair = spaces.nasbench201(image_size=(32, 32))
  assert pair == spaces.nasbench201() and spaces.to_config(pair)["skeleton"]["image_size"] == 32
  assert spaces.mobilenet(image_size=[224, 224]) == spaces.mobilenet()
  assert spaces.nasbench201(image_size=(16, 64)) != spaces.nasbench201(image_size=(64, 16))


WIDE = spaces.nasbench201(channels=2, cells=1, image_size=(8, 12))
WIDE_CHAIN = spaces.mobilenet(width=0.25, image_size=(31, 8), classes=3)


@pytest.mark.parametrize("space", [OWN, CHAIN, spaces.mobilenet(), WIDE, WIDE_CHAIN])
def test_configs_go_through_json(space):
  assert spaces.from_config(json.loads(json.dumps(spaces.to_config(space)))) == space


def test_a_config_without_a_kind_is_of_cells():
  config = spaces.to_config(OWN)
  assert config.pop("kind") == "cells" and spaces.from_config(config) == OWN


def test_a_plain_space_is_not_saved():
  with pytest.raises(errors.InputError, match="flat"):
    spaces.to_config(FLAT)


@pytest.mark.parametrize("blocks", [
    [], [("a", 0)], [("a", 1), ("a", 2)], [("a", -1)], [("a", 1, 2)], [("a", 1, 0)],
])
def test_wrong_blocks_are_refused(blocks):
  with pytest.raises(errors.InputError, match="Received"):
    spaces.layer_space("own", [spaces.Block(*block) for block in blocks], CHAIN.skeleton)


@pytest.mark.parametrize("stage", [(0, 1), (1, 0), (1, 1, 0)])
def test_a_wrong_stage_is_refused(stage):
  with pytest.raises(errors.InputError, match="Received: 0"):
    spaces.Stage(*stage)


def test_mutation_and_crossover_take_only_what_is_there():
  rng = np.random.default_rng(0)
  assert FLAT.mutate((2, 1), rng, 0.0) == (2, 1)
  changed = [FLAT.mutate((2, 1), rng, 1.0) for _ in range(600)]
  assert {arch for arch in changed} == {FLAT.arch(index) for index in range(6)}
  children = {FLAT.crossover((0, 0), (2, 1), rng) for _ in range(200)}
  assert children == {(0, 0), (0, 1), (2, 0), (2, 1)}


@pytest.mark.parametrize("arch", [(), (0,), (0, 0, 0), (3, 0), (0, -1), ("a", 0), None])
def test_a_wrong_arch_is_refused(arch):
  with pytest.raises(errors.InputError):
    FLAT.validate(arch)


def test_an_index_that_no_python_reads_is_refused():
  with pytest.raises(errors.InputError, match="looks like"):
    FLAT.parse("#" + 5000 * "9")


@pytest.mark.parametrize("size", [
    {"channels": 0}, {"cells": 0}, {"image_size": 30}, {"image_size": 0}, {"classes": 1},
    {"image_size": (8, 30)}, {"image_size": (30, 8)}, {"image_size": (8, 0)}, {"image_size": "8"},
    {"image_size": (8, 8, 3)}, {"image_size": 8.0}, {"image_size": None},
])
def test_a_wrong_size_is_refused(size):
  with pytest.raises(errors.InputError, match="Received"):
    spaces.get("nasbench201", **size)


@pytest.mark.parametrize("size", [
    {"channels": 0}, {"width": 0}, {"width": float("nan")}, {"image_size": 0}, {"classes": 1},
    {"image_size": (8, 0)}, {"image_size": (-1, 8)},
])
def test_a_wrong_size_of_mobilenet_is_refused(size):
  with pytest.raises(errors.InputError, match="Received"):
    spaces.get("mobilenet", **size)


def test_an_unknown_space_is_refused():
  with pytest.raises(errors.InputError, match="nasbench201"):
    spaces.get("nasbench2o1")
