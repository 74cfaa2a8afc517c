"""The loss with weights of classes: values by hand, and Keras' own with sample weights."""

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import config
from tfdynnas import errors
from tfdynnas.optimizers import losses
from tfdynnas.training import recipe

LOGITS = np.random.default_rng(0).normal(size=[6, 3]).astype(np.float32)
LABELS = np.array([0, 0, 0, 0, 2, 1], np.int32)


def test_balanced_weights_by_hand():
  # 12 images of 3 classes that have some: 12 / (3 * 8), 12 / (3 * 1), 12 / (3 * 3).
  np.testing.assert_allclose(losses.balanced_weights([8, 1, 0, 3]), [0.5, 4, 0, 4 / 3])
  counts = np.array([55, 30, 15])
  assert counts @ losses.balanced_weights(counts) == pytest.approx(100)  # 1 on average.


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_it_is_keras_loss_with_sample_weights(smoothing):
  weights = losses.balanced_weights(np.bincount(LABELS))
  found = losses.crossentropy(smoothing, weights)(LABELS, LOGITS)
  kwargs = {"from_logits": True, "label_smoothing": smoothing}
  each = keras.losses.CategoricalCrossentropy(**kwargs)
  expected = each(np.eye(3)[LABELS], LOGITS, sample_weight=weights[LABELS])
  assert float(found) == pytest.approx(float(expected), rel=1e-5)
  again = keras.saving.deserialize_keras_object(
      keras.saving.serialize_keras_object(losses.crossentropy(smoothing, weights)))
  assert float(again(LABELS[:, None], LOGITS)) == pytest.approx(float(expected), rel=1e-5)


def test_without_weights_it_is_the_loss_of_before():
  loss = losses.crossentropy(0.0, recipe.class_weights(config.SupernetConfig(), None))
  assert type(loss) is keras.losses.SparseCategoricalCrossentropy
  assert type(losses.crossentropy(0.1)) is losses.SmoothedCrossentropy
  with pytest.raises(errors.InputError, match="images of each class"):
    recipe.class_weights(config.SupernetConfig(class_weights="balanced"), None)


def test_rare_classes_pull_as_much_as_frequent_ones():
  """At equal logits the gradient of the bias is 1/3 less each class' share: 0 for every class."""
  bias = keras.Variable(np.zeros(3, np.float32))
  weights = losses.balanced_weights(np.bincount(LABELS))
  slopes = []
  for place in range(3):  # Central differences, whatever the back end.
    ends = []
    for step in (1e-2, -1e-2):
      bias.assign(step * np.eye(3, dtype=np.float32)[place])
      logits = ops.zeros([6, 3]) + ops.convert_to_tensor(bias)
      ends.append(float(losses.crossentropy(0.0, weights)(LABELS, logits)))
    slopes.append((ends[0] - ends[1]) / 2e-2)
  np.testing.assert_allclose(slopes, 0, atol=1e-4)
