"""Batches of a Data for any Keras model."""

import keras
import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors

DIGITS = data.digits()


def test_training_images_come_each_once_an_epoch_in_another_order_and_again_by_the_seed():
  first, again = DIGITS.batches("train", 50, seed=3), DIGITS.batches("train", 50, seed=3)
  epochs = [[np.concatenate(both) for both in zip(*first.as_numpy_iterator())] for _ in range(2)]
  images, labels = epochs[0]
  steps = -(-DIGITS.train.size // 50)
  assert len(first) == steps and images.shape == (50 * steps, 8, 8, 3)
  pixels = np.rint(images * DIGITS.std + DIGITS.mean).astype(np.uint8)
  known = {image.tobytes(): int(label) for image, label in
           zip(DIGITS.train.images, DIGITS.train.labels)}
  assert all(known[one.tobytes()] == label for one, label in zip(pixels, labels))
  once = pixels[:DIGITS.train.size]
  assert sorted(map(bytes, once)) == sorted(map(bytes, DIGITS.train.images))
  assert (epochs[1][1] != labels).any()
  for epoch in epochs:
    for one, two in zip(epoch, map(np.concatenate, zip(*again.as_numpy_iterator()))):
      np.testing.assert_array_equal(one, two)


def test_the_others_come_in_their_order():
  images, labels = map(np.concatenate, zip(*DIGITS.batches("test", 100).as_numpy_iterator()))
  expected = (DIGITS.test.images - DIGITS.mean) / DIGITS.std
  np.testing.assert_allclose(images, expected, atol=1e-5)
  np.testing.assert_array_equal(labels, DIGITS.test.labels)


def test_a_keras_model_trains_on_them():
  keras.utils.set_random_seed(0)
  model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(10)])
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
  model.compile(keras.optimizers.SGD(0.05), loss, metrics=["accuracy"])
  history = model.fit(
      DIGITS.batches("train", 64), validation_data=DIGITS.batches("valid"), epochs=8, verbose=0)
  assert history.history["val_accuracy"][-1] > 0.85


def test_a_part_that_is_not_there_is_refused():
  with pytest.raises(errors.InputError, match="one of train, valid, test. Received: 'tset'"):
    DIGITS.batches("tset")
