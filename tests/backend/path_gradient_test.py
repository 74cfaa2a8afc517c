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


def _plain(model, images, labels):
  """Gradient of a plain network, by name of the weight's layer."""
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
  with tf.GradientTape() as tape:
    value = loss(labels, model(images, training=True))
  weights = [weight.value for weight in model.trainable_variables]
  return [part.numpy() for part in tape.gradient(value, weights)]


@pytest.mark.parametrize("space", [CELLS, small_layers.SPACE], ids=lambda space: space.name)
def test_gradient_is_that_of_the_plain_network_and_zero_off_the_path(space):
  rng = np.random.default_rng(0)
  images = rng.normal(size=[16, 8, 8, 3]).astype(np.float32)
  labels = rng.integers(0, 10, 16).astype(np.int32)
  network = supernet_lib.Supernet(space, seed=1)
  compiled = current.compiled(
      functools.partial(current.path_gradient, network), network.trainable_variables
  )
  for arch in (space.largest(), space.sample(rng), space.sample(rng)):
    chosen = np.array(arch, np.int32)
    gradients = [part.numpy() for part in compiled(images, labels, chosen)]
    off = 0
    for gradient, mask, weight in zip(
        gradients, network.on_path(chosen), network.trainable_variables):
      mask = np.broadcast_to(np.array(mask), gradient.shape[:1])
      assert gradient.shape == tuple(weight.shape) and not gradient[~mask].any()
      off += (~mask).sum()
    assert off > 0
    plain = _plain(network.subnet(arch), images, labels)
    np.testing.assert_allclose(gradients[0], plain[0], rtol=1e-3, atol=1e-5)  # The stem.
    squares = [sum(float(np.sum(part**2)) for part in parts) for parts in (gradients, plain)]
    np.testing.assert_allclose(squares[0], squares[1], rtol=1e-3)
    np.testing.assert_allclose(gradients[-1], plain[-1], rtol=1e-3, atol=1e-6)  # The bias.
