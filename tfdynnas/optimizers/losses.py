"""The loss of a training: cross-entropy on logits, optionally with smoothed labels.

Source: Szegedy et al., rethinking the Inception architecture (CVPR 2016), label smoothing.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


def crossentropy(
    smoothing: float = 0.0, class_weights: Sequence[float] | np.ndarray | None = None
) -> keras.losses.Loss:
  """Makes the loss.

  Args:
    smoothing: float in [0, 1), share of a label that is spread evenly over all classes.
    class_weights: float [classes], factor of the loss for images of each class; None: 1.

  Returns:
    keras.losses.Loss of int labels [batch] and float logits [batch, classes].

  Example:
    loss = nas.losses.crossentropy(smoothing=0.1)
    print(loss(np.array([1]), np.array([[0.0, 2.0]])))
  """
  if class_weights is not None:
    return WeightedCrossentropy(class_weights, smoothing)
  if smoothing:
    return SmoothedCrossentropy(smoothing)
  return keras.losses.SparseCategoricalCrossentropy(from_logits=True, name="loss")


def balanced_weights(counts: Sequence[int] | np.ndarray) -> np.ndarray:
  """Weights that make every class count equally in the mean loss, and are 1 on average.

  Args:
    counts: int [classes], training images of each class.

  Returns:
    float64 [classes]: images / (classes with images * images of the class); 0 without images.

  Example:
    weights = nas.losses.balanced_weights([300, 100])  # [0.67, 2.0]
    loss = nas.losses.crossentropy(class_weights=weights)
  """
  counts = np.asarray(counts, np.float64)
  there = counts > 0
  return np.divide(counts.sum() / there.sum(), counts, out=np.zeros_like(counts), where=there)


@keras.saving.register_keras_serializable("tfdynnas")
class SmoothedCrossentropy(keras.losses.Loss):
  """Cross-entropy with 1 - smoothing + smoothing / classes on the label, smoothing / classes else.

  Keras' own loss smooths one-hot labels alone.

  Example:
    loss = nas.losses.SmoothedCrossentropy(0.1)
    print(loss(np.array([1]), np.array([[0.0, 2.0]])))
  """

  def __init__(self, smoothing: float, name: str = "loss", **kwargs):
    super().__init__(name=name, **kwargs)
    self.smoothing = smoothing

  def call(self, y_true: Any, y_pred: Any) -> Any:
    """Loss of each image, float [batch]."""
    each = ops.log_softmax(y_pred)
    labels = ops.reshape(ops.cast(y_true, "int32"), [-1, 1])
    own = ops.squeeze(ops.take_along_axis(each, labels, axis=-1), -1)
    return -(1 - self.smoothing) * own - self.smoothing * ops.mean(each, axis=-1)

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`."""
    return {**super().get_config(), "smoothing": self.smoothing}


@keras.saving.register_keras_serializable("tfdynnas")
class WeightedCrossentropy(keras.losses.Loss):
  """Cross-entropy, optionally smoothed, times a weight of the label's class.

  Example:
    loss = nas.losses.WeightedCrossentropy([0.67, 2.0])
    print(loss(np.array([1]), np.array([[0.0, 2.0]])))
  """

  def __init__(
      self, class_weights: Sequence[float] | np.ndarray, smoothing: float = 0.0,
      name: str = "loss", **kwargs,
  ):
    super().__init__(name=name, **kwargs)
    self.class_weights, self.smoothing = [float(weight) for weight in class_weights], smoothing
    self._each = crossentropy(smoothing)

  def call(self, y_true: Any, y_pred: Any) -> Any:
    """Loss of each image, float [batch]."""
    labels = ops.reshape(ops.cast(y_true, "int32"), [-1])
    weights = ops.take(ops.convert_to_tensor(self.class_weights, y_pred.dtype), labels)
    return weights * self._each.call(labels, y_pred)

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`."""
    own = {"class_weights": self.class_weights, "smoothing": self.smoothing}
    return {**super().get_config(), **own}
