"""The plain network of one arch of a layer space against its costs and by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.supernet import macs
from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib

CHAIN = spaces.layer_space(
    "chain",
    [spaces.Block("gone", 0), spaces.Block("mb2", 2, 3), spaces.Block("mb1", 1, 5)],
    spaces.LayerSkeleton(
        (spaces.Stage(4, 2, 2), spaces.Stage(4, 1)), stem=3, stem_stride=2, first=2, last=5,
        image_size=14, classes=3,
    ),
)
SMALL = spaces.mobilenet(width=0.25, image_size=(33, 20), classes=10, small=True)


@pytest.mark.parametrize("space, arch", [
    (CHAIN, (0, 0, 0)), (CHAIN, (1, 2, 1)), (SMALL, (5, 6, 2, 1) * 5 + (4,)),
    (spaces.mobilenet(), (0, 6, 6, 3) * 5 + (1,)),
], ids=lambda value: getattr(value, "name", None))
def test_params_and_macs_are_those_of_the_table(space, arch):
  model = supernet_lib.plain_network(space, arch)
  weights = model.trainable_variables
  assert sum(int(np.prod(w.shape)) for w in weights) == space.cost(arch, "params")
  kernels = sum(int(np.prod(w.shape)) for w in weights if len(w.shape) > 1)
  assert kernels + space.skeleton.classes == space.cost(arch, "complexity")
  assert macs.of_layers(model) == space.cost(arch, "macs")


def test_padded_on_all_sides():
  model = supernet_lib.plain_network(CHAIN, (0, 0, 0), "keras")
  stem = model.get_layer("stem_conv")
  stem.set_weights([np.ones([3, 3, 3, 3])])
  output = keras.Model(model.input, stem.output)(np.ones([1, 14, 14, 3], np.float32))
  output = ops.convert_to_numpy(output)[0, :, :, 0]
  # Of 14 pixels and one of zeros on each side: the first window begins in the zeros, the last one
  # ends with the last pixel.
  assert output.shape == (7, 7)
  assert output[0, 0] == 2 * 2 * 3 and output[0, 3] == 2 * 3 * 3 and output[6, 6] == 27


def test_a_block_is_added_to_what_it_is_given():
  with_block = supernet_lib.plain_network(CHAIN, (0, 1, 0), "keras")
  without = supernet_lib.plain_network(CHAIN, (0, 0, 0), "keras")
  for layer in without.layers:
    if layer.weights:
      layer.set_weights(with_block.get_layer(layer.name).get_weights())
  batch = np.random.default_rng(0).normal(size=[2, 14, 14, 3]).astype(np.float32)
  logits = ops.convert_to_numpy(without(batch))
  assert np.abs(ops.convert_to_numpy(with_block(batch)) - logits).max() > 1e-6
  gamma, *others = with_block.get_layer("layer1.2_project_norm").get_weights()
  with_block.get_layer("layer1.2_project_norm").set_weights([0 * gamma, *others])
  np.testing.assert_allclose(ops.convert_to_numpy(with_block(batch)), logits, atol=1e-6)


def test_the_seed_decides_the_weights():
  made = [supernet_lib.plain_network(CHAIN, (0, 1, 0), seed=seed) for seed in (0, 0, 1)]
  first, again, other = ([w.tolist() for w in model.get_weights()] for model in made)
  assert first == again != other


def test_wrong_input_is_refused():
  with pytest.raises(errors.InputError, match="`1.1` takes a choice"):
    supernet_lib.plain_network(CHAIN, (2, 0, 0))
  with pytest.raises(errors.InputError, match="`statistics`"):
    supernet_lib.plain_network(CHAIN, (0, 0, 0), "none")
