"""Shared choices are parts of one kernel; branches that begin at zero leave the shortcut."""

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.supernet import nesting

LAYERS = spaces.layer_space(
    "layers",
    [
        spaces.Block("mb1", 1, 3), spaces.Block("mb3", 3, 3), spaces.Block("mb1_5x5", 1, 5),
        spaces.Block("mb2_7x7", 2, 7), spaces.Block("gone", 0),
    ],
    spaces.LayerSkeleton(
        (spaces.Stage(6, 3, 2), spaces.Stage(8, 2)), stem=6, stem_stride=1, first=4, last=12,
        image_size=(9, 14), classes=3,
    ),
)
CELLS = spaces.cell_space(
    "cells",
    [
        spaces.Operation("none", "zero"), spaces.Operation("conv1", "conv", 1),
        spaces.Operation("max3", "max_pool", 3), spaces.Operation("conv5", "conv", 5),
        spaces.Operation("conv3", "conv", 3),
    ],
    nodes=3, skeleton=spaces.Skeleton(channels=4, cells=1, image_size=(8, 12), classes=3),
)
MOBILE = spaces.mobilenet(width=0.25, image_size=16, classes=10, small=True)


def images(space, count=4):
  shape = count, *space.skeleton.image_shape
  return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def made(space, **kwargs):
  """A supernet with shared choices whose scales are drawn."""
  supernet = supernet_lib.Supernet(space, seed=3, sharing="shared", **kwargs)
  rng = np.random.default_rng(5)
  for weight in supernet.trainable_variables:
    if "scale" in weight.name:
      weight.assign(rng.uniform(0.5, 1.5, weight.shape))
  return supernet


def kernel(subnet, layer):
  return ops.convert_to_numpy(subnet.get_layer(layer).kernel)


def test_rings_make_a_window_by_hand():
  assert nesting.rings([5, 1, 3]) == {1: 1, 3: 8, 5: 16}
  parts = {1: np.array([0.0]), 3: np.arange(1.0, 9)}
  assert ops.convert_to_numpy(nesting.join(parts)).tolist() == [[1, 2, 3], [4, 0, 5], [6, 7, 8]]
  joined = ops.convert_to_numpy(nesting.join({3: np.arange(9.0), 5: np.arange(9.0, 25)}))
  assert joined[1:4, 1:4].reshape(-1).tolist() == list(range(9))
  assert joined[0].tolist() == [9, 10, 11, 12, 13] and joined[2].tolist() == [16, 3, 4, 5, 17]


@pytest.mark.parametrize("statistics", ["batch", "running"])
@pytest.mark.parametrize("space, scale", [(CELLS, "none"), (LAYERS, "none"), (LAYERS, "zero")])
def test_logits_equal_those_of_the_plain_subnet(space, scale, statistics):
  supernet, batch = made(space, branch_scale=scale), images(space)
  rng = np.random.default_rng(1)
  for arch in [space.sample(rng) for _ in range(5)] + [space.smallest(), space.largest()]:
    alone = ops.convert_to_numpy(supernet.subnet(arch, statistics)(batch, training=True))
    own = ops.convert_to_numpy(supernet(batch, arch=arch))
    np.testing.assert_allclose(own, alone, atol=2e-5)


def test_separate_branches_have_scales_of_their_own():
  supernet = supernet_lib.Supernet(LAYERS, branch_scale="zero")
  scales = {w.name: w for w in supernet.trainable_variables if "scale" in w.name}
  assert [tuple(weight.shape) for weight in scales.values()] == [(8, 6), (4, 8)]
  for weight in scales.values():
    assert not ops.convert_to_numpy(weight).any()
    weight.assign(np.arange(np.prod(weight.shape)).reshape(weight.shape))
  gamma = supernet.subnet((0, 0, 3, 0, 4), "running").get_layer("layer1.3_project_norm").gamma
  assert ops.convert_to_numpy(gamma).tolist() == [42, 43, 44, 45, 46, 47]  # Row 7 of 8.
  batch, arch = images(LAYERS), (0, 0, 3, 0, 1)
  alone = ops.convert_to_numpy(supernet.subnet(arch)(batch))
  np.testing.assert_allclose(ops.convert_to_numpy(supernet(batch, arch=arch)), alone, atol=2e-4)


def test_small_blocks_are_the_middle_and_the_first_channels_of_large_ones():
  supernet = made(LAYERS)
  mb1, mb3, mb1_wide, mb2 = (supernet.subnet((choice,) * 3 + (0, 0)) for choice in range(4))
  for layer, inputs in (("layer1.1", 4), ("layer1.3", 6)):
    expand, project, depthwise = (f"{layer}_{part}" for part in ("expand", "project", "depthwise"))
    np.testing.assert_array_equal(
        kernel(mb1, expand), kernel(mb3, expand)[..., :inputs])
    np.testing.assert_array_equal(
        kernel(mb2, project), kernel(mb3, project)[:, :, :2 * inputs])
    np.testing.assert_array_equal(
        kernel(mb1_wide, depthwise),
        kernel(mb2, depthwise)[1:6, 1:6, :inputs])
    np.testing.assert_array_equal(
        kernel(mb1, depthwise), kernel(mb2, depthwise)[2:5, 2:5, :inputs])
    np.testing.assert_array_equal(
        kernel(mb2, depthwise)[2:5, 2:5],
        kernel(mb3, depthwise)[:, :, :2 * inputs])


def test_small_convolutions_are_the_middle_of_large_ones():
  supernet, layer = made(CELLS), "stage1_cell0_edge2_conv"
  one, five, three = (kernel(supernet.subnet((3, 3, choice)), layer) for choice in (1, 3, 4))
  np.testing.assert_array_equal(three, five[1:4, 1:4])
  np.testing.assert_array_equal(one, five[2:3, 2:3])
  assert five.shape == (5, 5, 8, 8) and len(np.unique(five)) == five.size


def test_shared_weights_are_those_of_the_largest_kernels():
  supernet = supernet_lib.Supernet(MOBILE, sharing="shared")
  weights = sum(int(np.prod(weight.shape)) for weight in supernet.trainable_variables)
  assert weights == MOBILE.cost([5] * 21, "complexity")  # Every layer at 6 and 7x7.


def test_rows_belong_to_all_choices_that_have_them():
  supernet = made(LAYERS, branch_scale="zero")
  names = [weight.name.replace("_", ".", 1) if keras.backend.backend() == "torch" else weight.name
           for weight in supernet.trainable_variables]
  # Layer 1.1 is mb3, 1.2 is left out, 1.3 is mb1_5x5, 2.1 is mb2_7x7, 2.2 is mb1.
  masks = supernet.on_path((1, 4, 2, 3, 0))
  rows = {name: ops.convert_to_numpy(mask).tolist() for name, mask in zip(names, masks)}
  assert rows["layers1.1_expand_0"] == rows["layers1.1_expand_2"] == [True]
  assert rows["layers1.2_expand_0"] == rows["layers1.2_scale"] == [False, True]
  assert rows["layers1.2_expand_1"] == rows["layers1.2_project_2"] == [False, False]
  assert rows["layers1.2_depthwise_0_5"] == [False, True]
  assert rows["layers1.2_depthwise_0_7"] == rows["layers1.2_depthwise_1_3"] == [False, False]
  assert rows["layers2.1_depthwise_1_7"] == rows["layers2.1_project_1"] == [True]
  assert rows["layers2.1_expand_2"] == rows["layers2.2_depthwise_0_5"] == [False]
  assert "layers1.1_scale" not in rows and rows["stem"] is True
  owners = dict(zip(names, supernet.row_decisions()))
  assert owners["layers1.2_project_1"].tolist() == [1, 2] and owners["last"] is None
  cells = made(CELLS)
  masks = dict(zip((w.name for w in cells.trainable_variables), cells.on_path((1, 3, 2))))
  found = [ops.convert_to_numpy(masks[f"stage0_conv{n}x{n}"]).tolist() for n in (1, 3, 5)]
  assert found == [[True, True, False], [False, True, False], [False, True, False]]


@pytest.mark.parametrize("space, scale", [(CELLS, "none"), (LAYERS, "zero")])
def test_logits_depend_on_the_rows_on_the_path_and_on_no_other(space, scale):
  supernet, batch = made(space, branch_scale=scale), images(space)
  arch = (4, 1, 3) if space is CELLS else (1, 4, 2, 3, 0)
  before = ops.convert_to_numpy(supernet(batch, arch=arch))
  rng = np.random.default_rng(2)
  for weight, mask in zip(supernet.trainable_variables, supernet.on_path(arch)):
    off = ~ops.convert_to_numpy(mask).reshape([-1] + [1] * (len(weight.shape) - 1))
    noise = rng.normal(size=weight.shape)
    weight.assign(ops.convert_to_numpy(weight) + off * noise)
  np.testing.assert_array_equal(ops.convert_to_numpy(supernet(batch, arch=arch)), before)
  for place, weight in enumerate(supernet.trainable_variables):
    on = ops.convert_to_numpy(supernet.on_path(arch)[place])
    for row in np.flatnonzero(on)[-1:] if on.ndim else ():
      kept = ops.convert_to_numpy(weight).copy()
      moved = kept.copy()
      moved[row] += rng.normal(size=kept[row].shape)
      weight.assign(moved)
      assert np.abs(ops.convert_to_numpy(supernet(batch, arch=arch)) - before).max() > 1e-6
      weight.assign(kept)


def test_with_a_scale_of_zero_layers_that_keep_their_shape_do_nothing():
  supernet = supernet_lib.Supernet(MOBILE, sharing="shared", branch_scale="zero")
  batch, rng = images(MOBILE), np.random.default_rng(3)
  keeps = [layer.keeps_shape for layer in MOBILE.skeleton.layers]
  first = MOBILE.sample(rng)
  for _ in range(4):
    other = [own if keep else one for keep, one, own in zip(keeps, first, MOBILE.sample(rng))]
    np.testing.assert_allclose(
        ops.convert_to_numpy(supernet(batch, arch=other)),
        ops.convert_to_numpy(supernet(batch, arch=first)), atol=1e-6)


def test_save_and_load(tmp_path):
  supernet = made(LAYERS, branch_scale="zero")
  supernet.choose(LAYERS.largest())
  before = ops.convert_to_numpy(supernet(images(LAYERS)))
  supernet.save(tmp_path / "supernet.keras")
  again = keras.saving.load_model(tmp_path / "supernet.keras")
  assert (again.sharing, again.branch_scale) == ("shared", "zero")
  np.testing.assert_array_equal(ops.convert_to_numpy(again(images(LAYERS))), before)


@pytest.mark.parametrize("space, arguments, expected", [
    (LAYERS, {"sharing": "both"}, "`sharing` must be one of separate, shared. Received: 'both'"),
    (LAYERS, {"branch_scale": 0}, "`branch_scale` must be one of none, zero. Received: 0"),
    (CELLS, {"branch_scale": "zero"},
     "`branch_scale` is not for spaces of cells. Received: zero for `cells`"),
    (spaces.cell_space("one", CELLS.operations[:3], 3, CELLS.skeleton), {"sharing": "shared"},
     "shared needs convolutions of different windows, each once. Received: none, conv1, max3"),
    (spaces.layer_space(
        "twice", [*LAYERS.blocks, spaces.Block("mb3_too", 3, 3)], LAYERS.skeleton),
     {"sharing": "shared"}, "shared needs blocks of different expansions or windows, each once"),
    (spaces.layer_space(
        "moves", LAYERS.blocks, spaces.LayerSkeleton((spaces.Stage(6, 1, 2),), image_size=8)),
     {"branch_scale": "zero"}, "`branch_scale` zero needs a layer that keeps its shape"),
])
def test_what_cannot_be_shared_or_scaled_is_refused(space, arguments, expected):
  with pytest.raises(errors.InputError, match=expected):
    supernet_lib.Supernet(space, **arguments)
