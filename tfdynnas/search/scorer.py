"""Scoring: how good a subnet is with the weights it inherits, without training it.

Source: SPOS: top-1 on held-out images, normalisation by batch statistics. The published script
draws a new order of the images for every subnet; here the batches are the same for all, so that a
score is a function of the arch alone.
"""

import functools

import keras
import numpy as np
from keras import ops

from tfdynnas import class_accuracy
from tfdynnas import errors
from tfdynnas import supernet as supernet_lib
from tfdynnas.backend import current
from tfdynnas.data import feeds
from tfdynnas.data.images import augment

RECALIBRATED = 2_000  # Training images for the running statistics of a network.


def on_data(supernet, data, score_images=0, score_batch=256, calibration=0, seed=0):
  """Makes the scorer of a supernet on validation images.

  Args:
    supernet: supernet.Supernet or supernet.FewShot.
    data: data.Data.
    score_images: int, number of images; 0: all, or 10,000 of a streamed set.
    score_batch: int >= 2, images that are normalised together.
    calibration: int, training images whose statistics normalise every batch; 0: each batch by its
      own statistics.
    seed: int in [0, 2**32), of the order of the images.

  Returns:
    Scorer, whose subnets have running statistics of training images.
  """
  reference = feeds.drawn(data.train, calibration, seed).images if calibration else None
  return Scorer(
      supernet, feeds.valid_batches(data, score_images, score_batch, seed),
      functools.partial(augment.eval_images, mean=data.mean, std=data.std), reference,
      lambda: feeds.drawn(data.train, RECALIBRATED, seed).images,
  )


class Scorer:
  """Scores archs of a supernet: arch -> {"accuracy", "balanced_accuracy", "loss"}."""

  def __init__(self, supernet, batches, prepare, calibration=None, sample=None):
    """Compiles the scoring function; it serves every arch.

    Args:
      supernet: supernet.Supernet or supernet.FewShot.
      batches: List of (images, labels) arrays, of equal size except the last.
      prepare: Callable, raw images -> float32 normalised, run in the graph.
      calibration: Raw images, [n, height, width, 3], n >= 2: their statistics normalise every
        batch, so that the score does not depend on how the images are cut into batches. None
        normalises each batch by its own statistics, as published.
      sample: Callable that returns the images for the subnets' running statistics if there is no
        calibration; None: subnets normalise by the batch, as the score does.

    Raises:
      InputError: There are no batches, or one has a single image and there is no calibration.
    """
    if not batches:
      raise errors.InputError("`batches` must hold at least one batch. Received: none")
    if calibration is None and min(len(labels) for _, labels in batches) < 2:
      raise errors.InputError(
          "A score by batch statistics needs batches of >= 2 images. Received: one of 1"
      )
    self._supernet, self._prepare, self._sample = supernet, prepare, sample
    self._labels = np.concatenate([labels for _, labels in batches])
    self._batches = [
        (ops.convert_to_tensor(images), ops.convert_to_tensor(labels)) for images, labels in batches
    ]
    self._calibration = None if calibration is None else ops.convert_to_tensor(calibration)
    self._tell = current.compiled(self._predict, supernet.trainable_variables)

  def _predict(self, images, labels, arch):
    """The (predictions, sum of losses) of a batch: int32 [batch], float32 scalar."""
    reference = None
    if self._calibration is not None:
      reference = self._calibration.shape[0]
      images = ops.concatenate([self._calibration, images], axis=0)
    logits = self._supernet(self._prepare(images), arch=arch, reference=reference)
    logits = logits if reference is None else logits[reference:]
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return ops.cast(ops.argmax(logits, axis=1), "int32"), ops.sum(losses)

  def subnet(self, arch):
    """The network of one arch as a plain Keras model, with the weights that it inherits.

    Args:
      arch: Sequence of ints, one per decision.

    Returns:
      keras.Model, normalised images -> logits, not compiled: it normalises by running statistics of
      the calibration images or the sample, or else by those of each batch.
    """
    images = self._calibration
    if images is None and self._sample is not None:
      images = self._sample()
    if images is not None:
      images = ops.convert_to_numpy(self._prepare(images))
    return self._supernet.subnet(arch, images=images)

  def __call__(self, arch):
    """Scores one arch.

    Args:
      arch: Sequence of ints, one per decision.

    Returns:
      dict of Python floats: `accuracy`, the share of correct images; `balanced_accuracy`, its mean
      over the classes; `loss`.
    """
    if isinstance(self._supernet, supernet_lib.FewShot):
      self._supernet.choose(arch)  # Loads the weights of the arch's sub-supernet.
    chosen = ops.convert_to_tensor(np.array(self._supernet.space.validate(arch), np.int32))
    told = [self._tell(images, labels, chosen) for images, labels in self._batches]
    loss = np.sum([float(part) for _, part in told])
    predictions = np.concatenate([ops.convert_to_numpy(part) for part, _ in told])
    classes = self._supernet.space.skeleton.classes
    right, images = class_accuracy.count(self._labels, predictions, classes)
    return {
        "accuracy": float(right.sum() / images.sum()),
        "balanced_accuracy": class_accuracy.balanced(right, images),
        "loss": float(loss / images.sum()),
    }
