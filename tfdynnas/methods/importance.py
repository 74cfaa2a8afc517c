"""Importances of PA&DA, and the distribution of an epoch that is made from them."""

import keras
from keras import ops


class Importance(keras.layers.Layer):
  """State of a draw besides the seed; a layer, so that it is saved with the supernet.

  Several devices see different images: they record the mean over all of them, so that all have the
  same state and draw the same.

  Attributes:
    importance: float32 [values], 0 at first.
    distribution: float32 [values], probability of each in this epoch.
  """

  def __init__(self, count, name="importance"):
    super().__init__(name=name, dtype="float32", trainable=False)
    self.importance = self._add("importance", count)
    self.distribution = self.add_weight(
        name="distribution", shape=(count,), trainable=False, aggregation="only_first_replica",
        initializer=keras.initializers.Constant(1 / count),
    )
    self.built = True

  def _add(self, name, count):
    return self.add_weight(
        name=name, shape=(count,), initializer="zeros", trainable=False, aggregation="mean"
    )

  def draw_by(self, tau, now=True):
    """Sets the distribution to tau * importance / sum + (1 - tau) / values.

    Args:
      tau: float32 scalar in [0, 1].
      now: bool scalar; False leaves the distribution as it is.
    """
    importance, old = (ops.convert_to_tensor(v) for v in (self.importance, self.distribution))
    total, even = ops.sum(importance), ops.ones_like(old) / old.shape[0]
    share = ops.where(total > 0, ops.divide_no_nan(importance, total), even)
    self.distribution.assign(ops.where(now, tau * share + (1 - tau) * even, old))


class OfChoices(Importance):
  """The importance of choices: the running norm of their gradients."""

  def see(self, norms, counts):
    """Moves importances half way to a step's norms; choices not in the step keep theirs.

    Args:
      norms: float32 [choices], gradient norms of each choice, summed.
      counts: float32 [choices], how often each is in the path.
    """
    old = ops.convert_to_tensor(self.importance)
    new = (old + norms / ops.maximum(counts, 1.0)) / 2
    # A step whose scaled loss overflowed does not count: the optimizer skips it too.
    seen = ops.logical_and(counts > 0, ops.isfinite(new))
    self.importance.assign(ops.where(seen, new, old))


class OfImages(Importance):
  """The importance of images: the mean of each one's norms in the last epoch that had it.

  Attributes:
    sums: float32 [images], sum of each image's norms in this epoch.
    counts: float32 [images], how often each was seen in this epoch; with several devices both are
      divided by their number, which does not change the mean.
  """

  def __init__(self, count):
    super().__init__(count, name="image_importance")
    self.sums, self.counts = self._add("sums", count), self._add("counts", count)

  def see(self, index, norms, ends):
    """Records the images of a step, and at the end of an epoch takes the means.

    Args:
      index: int32 [batch], which images; one may be repeated.
      norms: float32 [batch].
      ends: bool scalar, whether the epoch ends with this step.
    """
    size = self.sums.shape[0]
    # Each device adds its own to the same sums, and all get the mean.
    self.sums.assign(self.sums + ops.segment_sum(norms, index, size))
    self.counts.assign(self.counts + ops.segment_sum(ops.ones_like(norms), index, size))
    sums, counts, old = (
        ops.convert_to_tensor(v) for v in (self.sums, self.counts, self.importance)
    )
    taken = ops.logical_and(ends, counts > 0)
    self.importance.assign(ops.where(taken, ops.divide_no_nan(sums, counts), old))
    self.sums.assign(ops.where(ends, ops.zeros_like(sums), sums))
    self.counts.assign(ops.where(ends, ops.zeros_like(counts), counts))
