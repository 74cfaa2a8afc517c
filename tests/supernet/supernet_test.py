"""The supernet equals the plain network of every arch, holds the right weights, saves and loads."""

import re

import keras
import numpy as np
import pytest
from keras import ops

from tests.supernet import macs
from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib

SPACE = spaces.nasbench201(channels=4, cells=2, image_size=8)
OWN = spaces.cell_space(
    "own",
    [
        spaces.Operation("skip", "identity"), spaces.Operation("conv3", "conv", 3),
        spaces.Operation("max3", "max_pool", 3), spaces.Operation("conv3_too", "conv", 3),
        spaces.Operation("conv5", "conv", 5),
    ],
    nodes=3, skeleton=spaces.Skeleton(channels=4, cells=1, image_size=(8, 12), classes=3),
)
LAYERS = spaces.layer_space(
    "layers",
    [
        spaces.Block("mb1", 1, 3), spaces.Block("mb2", 2, 3), spaces.Block("mb2_5x5", 2, 5),
        spaces.Block("mb2_too", 2, 3), spaces.Block("gone", 0),
    ],
    spaces.LayerSkeleton(
        (spaces.Stage(6, 3, 2), spaces.Stage(8, 2)), stem=6, stem_stride=1, first=4, last=12,
        image_size=(9, 14), classes=3,
    ),
)


def images(space, count=4):
  shape = count, *space.skeleton.image_shape
  return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("space", [SPACE, OWN, LAYERS], ids=lambda space: space.name)
def test_logits_equal_those_of_the_plain_subnet(space):
  supernet = supernet_lib.Supernet(space, seed=3)
  batch, rng = images(space), np.random.default_rng(1)
  archs = [space.sample(rng) for _ in range(6)] + [space.smallest(), space.largest()]
  for arch in archs:
    alone = ops.convert_to_numpy(supernet.subnet(arch)(batch))
    np.testing.assert_allclose(ops.convert_to_numpy(supernet(batch, arch=arch)), alone, atol=2e-5)
  assert len({alone.tobytes() for alone in
              (ops.convert_to_numpy(supernet(batch, arch=a)) for a in archs)}) >= 6


def test_paper_size_has_the_paper_weights():
  supernet = supernet_lib.Supernet(spaces.nasbench201())
  count = sum(int(np.prod(weight.shape)) for weight in supernet.trainable_variables)
  assert count == 1685562


def test_initial_weights_are_uniform_in_the_bound_of_their_fan_in():
  supernet = supernet_lib.Supernet(SPACE, seed=0)
  for weight in supernet.trainable_variables:
    shape = weight.shape
    fan_in = shape[-3] * shape[-4] * shape[-2] if len(shape) >= 4 else 16
    values, bound = ops.convert_to_numpy(weight), 1 / np.sqrt(fan_in)
    assert np.abs(values).max() <= bound
    if values.size > 200:
      assert abs(values.std() - bound / np.sqrt(3)) < 0.05 * bound
  other = supernet_lib.Supernet(SPACE, seed=1).trainable_variables[0]
  first = supernet.trainable_variables[0]
  assert np.any(ops.convert_to_numpy(other) != ops.convert_to_numpy(first))


def test_stand_alone_network_has_the_costs_of_the_table():
  rng = np.random.default_rng(0)
  for space in (SPACE, OWN):
    for arch in [space.sample(rng) for _ in range(3)] + [space.largest()]:
      model = supernet_lib.plain_network(space, arch)
      weights = model.trainable_variables
      assert sum(int(np.prod(w.shape)) for w in weights) == space.cost(arch, "params")
      kernels = sum(int(np.prod(w.shape)) for w in weights if len(w.shape) > 1)
      assert kernels == space.cost(arch, "complexity")
      assert macs.of_layers(model) == space.cost(arch, "macs")


def test_leaving_out_what_is_not_live_changes_nothing():
  rng = np.random.default_rng(2)
  batch = images(SPACE)
  for _ in range(4):
    arch = SPACE.sample(rng)
    whole = supernet_lib.plain_network(SPACE, arch, "keras")
    live = supernet_lib.plain_network(SPACE, arch, "keras", live_only=True)
    for layer in live.layers:
      layer.set_weights(whole.get_layer(layer.name).get_weights() if layer.weights else [])
    np.testing.assert_allclose(
        ops.convert_to_numpy(live(batch)), ops.convert_to_numpy(whole(batch)), atol=1e-5
    )


def test_on_path_rows():
  supernet = supernet_lib.Supernet(OWN)
  shapes = {w.name: i for i, w in enumerate(supernet.trainable_variables)}
  masks = [ops.convert_to_numpy(mask) for mask in supernet.on_path((1, 3, 4))]
  # Edge 0 takes conv3, edge 1 conv3_too: rows (edge, copy) of two copies each; edge 2 takes conv5.
  assert masks[shapes["stage0_conv3x3"]].tolist() == [True, False, False, True, False, False]
  assert masks[shapes["stage2_conv5x5"]].tolist() == [False, False, True]
  assert masks[shapes["stem"]].tolist() is True
  union = supernet.on_path([(1, 3, 4), (0, 0, 1)])
  assert ops.convert_to_numpy(union[shapes["stage1_conv3x3"]]).tolist() == [
      True, False, False, True, True, False]


def test_on_path_rows_of_layers():
  supernet = supernet_lib.Supernet(LAYERS)
  names = [re.sub(r"(layers\d)_", r"\1.", w.name) for w in supernet.trainable_variables]
  shapes = {name: i for i, name in enumerate(names)}  # PyTorch takes no dots.
  # Layer 1.1 is mb2_too, 1.2 is left out, 1.3 is mb2_5x5; 2.1 and 2.2 are mb1. Rows of stage 1
  # behind its first layer are those of layers 1.2 and 1.3.
  masks = [ops.convert_to_numpy(mask) for mask in supernet.on_path((3, 4, 2, 0, 0))]
  rows = {name: masks[place].tolist() for name, place in shapes.items()}
  assert rows["layers1.1_expand_2"] == rows["layers1.1_project_2"] == [False, False, True]
  assert rows["layers1.1_depthwise_2_3"] == [False, True]
  assert rows["layers1.2_expand_2"] == [False, False, False, False, True, False]
  assert rows["layers1.2_depthwise_2_3"] == [False] * 4
  assert rows["layers1.2_depthwise_2_5"] == [False, True]
  assert rows["layers2.1_expand_1"] == rows["layers2.2_expand_1"] == [True]
  assert rows["layers2.2_expand_2"] == [False] * 3
  assert rows["stem"] is rows["last"] is True
  owners = supernet.row_decisions()
  assert owners[shapes["layers1.2_expand_2"]].tolist() == [1, 1, 1, 2, 2, 2]
  assert owners[shapes["last"]] is None


def test_a_space_of_another_kind_is_refused():
  space = spaces.Space("plain", SPACE.decisions, SPACE.costs)
  with pytest.raises(errors.InputError, match="cells or layers. Received: `plain`"):
    supernet_lib.Supernet(space)


@pytest.mark.parametrize("space", [SPACE, LAYERS], ids=lambda space: space.name)
def test_save_and_load(tmp_path, space):
  supernet = supernet_lib.Supernet(space, seed=5)
  arch = space.sample(np.random.default_rng(0))
  supernet.choose(arch)
  before = ops.convert_to_numpy(supernet(images(space)))
  supernet.save(tmp_path / "supernet.keras")
  again = keras.saving.load_model(tmp_path / "supernet.keras")
  assert again.space == space
  np.testing.assert_array_equal(ops.convert_to_numpy(again(images(space))), before)


def test_a_wrong_arch_is_refused():
  supernet = supernet_lib.Supernet(OWN)
  with pytest.raises(errors.InputError):
    supernet.choose((0, 0))
  with pytest.raises(errors.InputError):
    supernet.subnet((0, 0, 9))
  with pytest.raises(errors.InputError, match="running"):
    supernet.subnet((0, 0, 1), "moving")


@pytest.mark.parametrize("space", [OWN, LAYERS], ids=lambda space: space.name)
def test_a_subnet_with_images_answers_each_by_itself(space):
  supernet, sample = supernet_lib.Supernet(space, seed=3), images(space, 64)
  batch = sample[:9]
  arch = space.largest()
  alone = supernet.subnet(arch, images=sample)
  together = alone.predict(batch, verbose=0)
  np.testing.assert_allclose(alone.predict(batch, batch_size=1, verbose=0), together, atol=1e-4)
  # Of one batch of 64, they are the statistics that the supernet has of them.
  expected = ops.convert_to_numpy(supernet(sample, arch=arch))[:9]
  np.testing.assert_allclose(together, expected, atol=1e-3)
  with pytest.raises(errors.InputError, match=">= 2 images"):
    supernet.subnet(arch, images=sample[:1])
  with pytest.raises(errors.InputError, match="running statistics"):
    supernet.subnet(arch, "batch", images=sample)


@pytest.fixture
def whole_tracebacks():
  """On JAX, Keras' filter of tracebacks puts an error of its own in the place of ours."""
  keras.config.disable_traceback_filtering()
  yield
  keras.config.enable_traceback_filtering()


@pytest.mark.parametrize("space, size", [(OWN, 1), (OWN, 2), (LAYERS, 2)])  # In twos, one is alone.
def test_one_image_is_refused_where_its_batch_would_normalise_it(space, size, whole_tracebacks):
  supernet, batch = supernet_lib.Supernet(space), images(space, 3)
  supernet.choose(space.largest())
  supernet(batch[:1], training=True)  # A step may have a batch of one.
  for network in (supernet, supernet.subnet(space.largest())):
    with pytest.raises(errors.InputError, match=">= 2 images at once"):
      network(batch[:1])
    assert network.predict(batch, batch_size=3, verbose=0).shape == (3, 3)
    with pytest.raises(Exception, match=">= 2 images at once"):
      network.predict(batch, batch_size=size, verbose=0)
