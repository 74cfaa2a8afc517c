"""The gradient of one arch: that of its own plain network, and nothing off its path."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import small_layers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.backend import current

CELLS = spaces.nasbench201(channels=2, cells=1, image_size=8)


MOBILE = spaces.mobilenet(width=0.25, image_size=16, classes=10, small=True)


def _compiled(network):
  return current.compiled(
      functools.partial(current.path_gradient, network), network.trainable_variables
  )


def _set_scales(network, value):
  for weight in network.trainable_variables:
    if weight.name.endswith("_scale"):
      weight.assign(np.full(weight.shape, value, np.float32))


def _plain(model, images, labels):
  """Gradient of a plain network, by name of the weight's layer."""
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
  with tf.GradientTape() as tape:
    value = loss(labels, model(images, training=True))
  weights = [weight.value for weight in model.trainable_variables]
  return [part.numpy() for part in tape.gradient(value, weights)]


@pytest.mark.parametrize("space, how", [
    (CELLS, {}), (CELLS, {"sharing": "shared"}), (small_layers.SPACE, {}),
    (small_layers.SPACE, {"sharing": "shared", "branch_scale": "zero"}),
])
def test_gradient_is_that_of_the_plain_network_and_zero_off_the_path(space, how):
  rng = np.random.default_rng(0)
  images = rng.normal(size=[16, 8, 8, 3]).astype(np.float32)
  labels = rng.integers(0, 10, 16).astype(np.int32)
  network = supernet_lib.Supernet(space, seed=1, **how)
  _set_scales(network, 0.5)
  compiled = _compiled(network)
  off = 0
  for arch in (space.largest(), space.sample(rng), space.sample(rng)):
    chosen = np.array(arch, np.int32)
    gradients = [part.numpy() for part in compiled(images, labels, chosen)]
    for gradient, mask, weight in zip(
        gradients, network.on_path(chosen), network.trainable_variables):
      mask = np.broadcast_to(np.array(mask), gradient.shape[:1])
      assert gradient.shape == tuple(weight.shape) and not gradient[~mask].any()
      off += (~mask).sum()
    plain = _plain(network.subnet(arch), images, labels)
    np.testing.assert_allclose(gradients[0], plain[0], rtol=1e-3, atol=1e-5)  # The stem.
    squares = [sum(float(np.sum(part**2)) for part in parts) for parts in (gradients, plain)]
    np.testing.assert_allclose(squares[0], squares[1], rtol=1e-3)
    np.testing.assert_allclose(gradients[-1], plain[-1], rtol=1e-3, atol=1e-6)  # The bias.
  assert off > 0


@pytest.mark.parametrize("scale", ["none", "zero"])
def test_a_layer_turns_the_gradients_before_it_unless_its_branch_is_small(scale):
  rng = np.random.default_rng(0)
  images = rng.normal(size=[64, 16, 16, 3]).astype(np.float32)
  labels = rng.integers(0, 10, 64).astype(np.int32)
  network = supernet_lib.Supernet(MOBILE, branch_scale=scale)
  _set_scales(network, 0.01)
  compiled, arch, cosines = _compiled(network), [0] * len(MOBILE.decisions), []

  def of_stem(chosen):
    found = compiled(images, labels, np.array(chosen, np.int32))[0].numpy().reshape(-1)
    return found / np.linalg.norm(found)

  for place, layer in enumerate(MOBILE.skeleton.layers):
    if layer.keeps_shape:
      other = [5 if place == own else choice for own, choice in enumerate(arch)]
      cosines.append(float(of_stem(arch) @ of_stem(other)))
  assert len(cosines) == 17  # At this width, two more stages begin with the channels before them.
  assert min(cosines) > 0.8 if scale == "zero" else max(cosines) < 0.5, cosines
