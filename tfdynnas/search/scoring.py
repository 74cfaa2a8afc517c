"""Scoring: how well a subnet does with the weights it inherits, without training it.

Source: SPOS: top-1 on held-out images, normalisation by batch statistics. Unlike the published
script, which draws a new order of the images for every subnet, batches are the same for all: so a
score is a function of the arch alone, whatever was scored before.
"""

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import supernet as supernet_lib
from tfdynnas.training import backend


class Scorer:
  """Scores archs of a supernet: arch -> {"accuracy": share in [0, 1], "loss": mean}."""

  def __init__(self, supernet, batches, prepare, calibration=None):
    """Compiles the scoring function; it serves every arch.

    Args:
      supernet: supernet.Supernet or supernet.FewShot.
      batches: List of (images, labels) arrays; equal sizes but for the last.
      prepare: Callable, images as given -> float32 normalised, run in the graph.
      calibration: Images as given, [n, height, width, 3], n >= 2: their statistics normalise every
        batch, so that the score does not depend on how the images are cut into batches. None
        normalises each batch by its own statistics, as published.

    Raises:
      InputError: There is nothing to score on.
    """
    if not batches:
      raise errors.InputError("`batches` must hold at least one batch. Received: none")
    self._supernet, self._prepare = supernet, prepare
    self._batches = [
        (ops.convert_to_tensor(images), ops.convert_to_tensor(labels)) for images, labels in batches
    ]
    self._calibration = None if calibration is None else ops.convert_to_tensor(calibration)
    self._count = backend.compiled(self._count_correct, supernet.trainable_variables)

  def _count_correct(self, images, labels, arch):
    """(correct, sum of losses) of a batch, float32 scalars."""
    reference = None
    if self._calibration is not None:
      reference = self._calibration.shape[0]
      images = ops.concatenate([self._calibration, images], axis=0)
    logits = self._supernet(self._prepare(images), arch=arch, reference=reference)
    logits = logits if reference is None else logits[reference:]
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    correct = ops.equal(ops.cast(ops.argmax(logits, axis=1), labels.dtype), labels)
    return ops.sum(ops.cast(correct, "float32")), ops.sum(losses)

  def __call__(self, arch):
    """Scores one arch.

    Args:
      arch: Sequence of ints, one per decision.

    Returns:
      dict: `accuracy`, a count of images over their number, and `loss`, Python floats.
    """
    if isinstance(self._supernet, supernet_lib.FewShot):
      self._supernet.choose(arch)  # Brings the weights of the arch's part.
    chosen = ops.convert_to_tensor(np.array(self._supernet.space.validate(arch), np.int32))
    counts = [self._count(images, labels, chosen) for images, labels in self._batches]
    correct, loss = np.sum([[float(part) for part in pair] for pair in counts], axis=0)
    images = sum(int(labels.shape[0]) for _, labels in self._batches)
    return {"accuracy": float(correct / images), "loss": float(loss / images)}
