"""The loss of a training: cross-entropy on logits, with smoothed labels if that is asked for.

Source: Szegedy et al., rethinking the Inception architecture (CVPR 2016), label smoothing.
"""

import keras
from keras import ops


def crossentropy(smoothing=0.0):
  """Makes the loss.

  Args:
    smoothing: float in [0, 1), the share of a label that all classes have alike.

  Returns:
    keras.losses.Loss of int labels [batch] and float logits [batch, classes].
  """
  if smoothing:
    return SmoothedCrossentropy(smoothing)
  return keras.losses.SparseCategoricalCrossentropy(from_logits=True, name="loss")


@keras.saving.register_keras_serializable("tfdynnas")
class SmoothedCrossentropy(keras.losses.Loss):
  """Cross-entropy with 1 - smoothing + smoothing / classes on the label, smoothing / classes else.

  Keras smooths one-hot labels alone.
  """

  def __init__(self, smoothing, name="loss", **kwargs):
    super().__init__(name=name, **kwargs)
    self.smoothing = smoothing

  def call(self, y_true, y_pred):
    """Loss of each image, float [batch]."""
    each = ops.log_softmax(y_pred)
    labels = ops.reshape(ops.cast(y_true, "int32"), [-1, 1])
    own = ops.squeeze(ops.take_along_axis(each, labels, axis=-1), -1)
    return -(1 - self.smoothing) * own - self.smoothing * ops.mean(each, axis=-1)

  def get_config(self):
    """Config for `from_config`."""
    return {**super().get_config(), "smoothing": self.smoothing}
