"""The recipe of the found network: what decays, what is averaged, smoothed and left out."""

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import config
from tfdynnas import spaces
from tfdynnas.optimizers import losses
from tfdynnas.optimizers import ms
from tfdynnas.supernet import recalibration
from tfdynnas.training import standalone

SPACE = spaces.cell_space(
    "three", spaces.nasbench201().operations, nodes=3, skeleton=spaces.Skeleton(2, 1, 8)
)
ARCH = (3, 0, 2)
IMAGES = np.random.default_rng(0).normal(size=[32, 8, 8, 3]).astype(np.float32)
LABELS = (np.arange(32) % 10).astype(np.int32)


def fit(model, epochs=1):
  model.fit(IMAGES, LABELS, batch_size=8, epochs=epochs, verbose=0, shuffle=False)
  return model


def test_smoothed_crossentropy_by_hand():
  logits = np.log([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]).astype(np.float32)
  loss = losses.crossentropy(0.3)
  # 0.7 of the own class's -log p, 0.1 of each class's.
  first = -(0.7 * np.log(0.3) + 0.1 * np.log(0.5 * 0.3 * 0.2))
  second = -(0.7 * np.log(0.8) + 0.1 * np.log(0.1 * 0.1 * 0.8))
  np.testing.assert_allclose(
      float(loss(np.array([1, 2]), logits)), (first + second) / 2, rtol=1e-6)
  again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
  assert again.smoothing == 0.3


def test_kernels_alone_decay():
  vector, kernel = keras.Variable([2.0]), keras.Variable([[2.0]])
  optimizer = ms.MS(
      0.1, momentum=0.0, nesterov=False, l2=0.5, max_norm=None, l2_on="kernels", groups=1
  )
  optimizer.apply([ops.zeros([1]), ops.zeros([1, 1])], [vector, kernel])
  np.testing.assert_allclose(ops.convert_to_numpy(vector), [2.0])
  np.testing.assert_allclose(ops.convert_to_numpy(kernel), [[2.0 - 0.1 * 0.5 * 2.0]])


def test_served_is_the_moving_average_and_fit_leaves_the_weights():
  plain = standalone.network_to_train(config.SubnetConfig(), SPACE, ARCH, 8)
  averaged = standalone.network_to_train(config.SubnetConfig(subnet_ema=0.9), SPACE, ARCH, 8)
  expected = None
  for _ in range(2):
    for start in range(0, 32, 8):
      for model in (plain, averaged):
        model.train_on_batch(IMAGES[start:start + 8], LABELS[start:start + 8])
      now = plain.get_layer("stem_conv").get_weights()[0]
      expected = now if expected is None else 0.9 * expected + 0.1 * now
  np.testing.assert_allclose(averaged.get_layer("stem_conv").get_weights()[0], now, atol=1e-6)
  averaged.optimizer.finalize_variable_values(averaged.trainable_variables)
  np.testing.assert_allclose(averaged.get_layer("stem_conv").get_weights()[0], now, atol=1e-6)
  averages = averaged.optimizer.averages(averaged.trainable_variables)
  served = standalone.network_to_serve(SPACE, ARCH, averaged, averages)
  np.testing.assert_allclose(served.get_layer("stem_conv").get_weights()[0], expected, atol=1e-6)
  assert np.abs(expected - now).max() > 1e-4


def test_dropout_only_while_training_and_not_served():
  model = standalone.network_to_train(config.SubnetConfig(subnet_dropout=0.5), SPACE, ARCH, 8)
  one, two = (ops.convert_to_numpy(model(IMAGES, training=True)) for _ in range(2))
  assert np.abs(one - two).max() > 1e-3
  served = standalone.network_to_serve(SPACE, ARCH, model)
  np.testing.assert_allclose(
      ops.convert_to_numpy(served(IMAGES)), ops.convert_to_numpy(model(IMAGES)), atol=1e-5)
  assert "dropout" not in [layer.name for layer in served.layers]


@pytest.mark.parametrize("space", [
    SPACE,
    spaces.layer_space(
        "layers", [spaces.Block("mb2", 2, 3), spaces.Block("gone", 0)],
        spaces.LayerSkeleton((spaces.Stage(4, 2, 2),), stem=4, first=4, last=8, image_size=8,
                             classes=10),
    ),
], ids=lambda space: space.name)
def test_recalibration_makes_them_the_means_of_the_batches(space):
  model = standalone.network_to_train(config.SubnetConfig(), space, space.largest(), 8)
  batches = [IMAGES[start:start + 8] for start in range(0, 32, 8)]
  recalibration.recalibrate(model, batches)
  layer = model.get_layer("stem_norm")
  stem = keras.Model(model.inputs, layer.input)
  features = [ops.convert_to_numpy(stem(batch)) for batch in batches]
  means = np.mean([f.mean((0, 1, 2)) for f in features], axis=0)
  np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_mean), means, atol=1e-5)
  variances = np.mean([f.var((0, 1, 2)) for f in features], axis=0)
  found = ops.convert_to_numpy(layer.moving_variance)
  np.testing.assert_allclose(found, variances, rtol=1e-4)
  assert layer.momentum == 0.9
  before = ops.convert_to_numpy(model(IMAGES))
  fit(model)  # Whatever was evaluated or trained in between, it gives the same again.
  weights = standalone.network_to_train(config.SubnetConfig(), space, space.largest(), 8)
  for new, old in zip(model.trainable_variables, weights.trainable_variables):
    new.assign(old)
  recalibration.recalibrate(model, batches)
  np.testing.assert_allclose(ops.convert_to_numpy(model(IMAGES)), before, atol=1e-5)
