"""The feed of a training: batches by step, and what makes images and labels of them in the step."""

import dataclasses

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.data import augment
from tfdynnas.data import feed
from tfdynnas.data import order
from tfdynnas.data import read
from tfdynnas.data import sets


@dataclasses.dataclass(frozen=True)
class HeldSteps:
  """Training steps on a held part: what they take from where.

  Attributes:
    index: int32 [steps, batch], positions in the part.
    held: (pixels, labels), the part as it lies on the device.
  """

  index: np.ndarray
  held: tuple


class TrainingFeed:
  """Batches of one part of a data set, augmented inside the step's graph.

  A held part lies on the device: the step gets positions in it and looks the pixels up. Make it
  inside the strategy's scope, so that each device holds a copy.
  """

  def __init__(
      self, data, part, batch, seed, pad=0, flip=False, shard=(0, 1), jitter=(0.0, 0.0)
  ):
    """Puts a held part on the device.

    Args:
      data: Data, for its mean and std.
      part: Images or Stream to train on.
      batch: int >= 1, images per step of all replicas together.
      seed: int in [0, 2**32), of order and augmentation.
      pad: int >= 0, zeros around an image before the random crop; none around one that its stream
        has cropped.
      flip: bool, random horizontal flips.
      shard: (index, count): which share of each batch this worker has, of how many.
      jitter: (amount, hue) of the random change of colours, see `colours`.
    """
    self.batch, self.seed, self._shard = batch, seed, shard
    self.steps_per_epoch = order.steps_per_epoch(part.size, batch)
    cropped = isinstance(part, sets.Stream) and part.cropped
    self._part, self._pad, self._flip = part, 0 if cropped else pad, flip
    self._jitter = jitter
    self._mean, self._std = data.mean, data.std
    self._held = None
    if isinstance(part, sets.Images):
      packed = _on_accelerator()
      kwargs = {"trainable": False, "aggregation": "only_first_replica"}
      pixels = augment.pack(part.images) if packed else part.images
      self._held = keras.Variable(pixels, dtype="float32" if packed else "uint8", **kwargs)
      # Labels as float32 there, since TensorFlow keeps int32 on the host.
      self._labels = keras.Variable(
          part.labels, dtype="float32" if packed else "int32", **kwargs
      )

  @property
  def held_images(self):
    """int, images that a step can look up by position: all of a held part, 0 of a stream."""
    return held_images(self._part)

  def batches(self, first_step, last_step):
    """tf.data.Dataset of the batches of steps `first_step` to before `last_step`."""
    steps = first_step, last_step
    return feed.train_batches(self._part, self.batch, self.seed, *steps, self._shard)

  def held_steps(self, first_step, last_step):
    """The steps `first_step` to before `last_step`, for a loop that runs on the device.

    Args:
      first_step: int >= 0.
      last_step: int >= first_step.

    Returns:
      HeldSteps.

    Raises:
      InputError: The part is not held.
    """
    if self._held is None:
      raise errors.InputError(
          f"Images beyond {sets.HELD_BYTES} bytes, and random-resized crops, are streamed, which "
          f"needs KERAS_BACKEND=tensorflow. Received: {self._part.size} of {self._part.image_shape}"
      )
    settings = self.seed, self._part.size, self.batch, first_step, last_step
    index = np.concatenate(list(order.step_orders(*settings)))
    own = read.rows(self.batch, self._shard)
    return HeldSteps(index[:, own], (self._held.value, self._labels.value))

  def prepare(self, batch, step):
    """Images and labels of a batch, a pure function of (seed, step, position in the part).

    Args:
      batch: dict, as `batches` yields; or of `held_steps` the `held`, and a row of the `index`. Of
        held images `place`, int32 [batch], may stand for the position in what is drawn at random,
        so that an image that comes twice is augmented twice.
      step: int32 scalar, the global step.

    Returns:
      (images, labels): float32 [batch, height, width, 3], normalised; int32 [batch].
    """
    settings = (step, self.seed, self._pad, self._flip, self._mean, self._std, self._jitter)
    index = batch["index"]
    if self._held is not None:
      pixels, labels = batch.get("held") or (self._held, self._labels)
      images = augment.train_images(
          ops.convert_to_tensor(pixels), index, *settings, sample_ids=batch.get("place")
      )
      return images, ops.cast(ops.take(ops.convert_to_tensor(labels), index), "int32")
    own = ops.arange(index.shape[0], dtype="int32")
    images = augment.train_images(batch["image"], own, *settings, sample_ids=index)
    return images, batch["label"]

  def prepared(self, first_step, last_step):
    """Dataset of (images, labels), augmented on the way: for a model with Keras' own step."""
    import tensorflow as tf

    steps = tf.data.Dataset.range(first_step, last_step, output_type=tf.int32)
    dataset = tf.data.Dataset.zip(steps, self.batches(first_step, last_step))
    dataset = dataset.map(lambda step, batch: self.prepare(batch, step), tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE)


def held_images(part):
  """int, images of a part that a step can look up by position: all if it is held, else 0."""
  return part.size if isinstance(part, sets.Images) else 0


def evaluation(data, part, batch):
  """Dataset of one pass in fixed order: (images float32 normalised, labels int32)."""
  dataset = feed.eval_batches(part, batch)
  return dataset.map(lambda image, label: (augment.eval_images(image, data.mean, data.std), label))


def _on_accelerator():
  """Whether the back end computes on something else than the CPU."""
  devices = keras.distribution.list_devices()
  return any(not str(device).lower().startswith("cpu") for device in devices)


def held_batches(part, batch):
  """Images of a held part as arrays, in fixed order: list of (uint8 [<= batch, ...], int32)."""
  starts = np.arange(0, part.size, batch)
  return [(part.images[s:s + batch], part.labels[s:s + batch]) for s in starts]


def drawn(part, count, seed):
  """A fixed sample of a part, held in memory: a pure function of (part, count, seed).

  Args:
    part: Images or Stream.
    count: int >= 1; not more than the part has are drawn.
    seed: int in [0, 2**32).

  Returns:
    Images, in the order of the part.
  """
  count = min(count, part.size)
  if isinstance(part, sets.Images):
    chosen = np.sort(order.permutation(seed, part.size)[:count])
    return sets.Images(part.images[chosen], part.labels[chosen])
  rows = sorted(
      ((int(i), image, label) for i, image, label in
       part.shuffled(seed, count, 0, 1).as_numpy_iterator()),
      key=lambda row: row[0],
  )
  labels = np.array([row[2] for row in rows], np.int32)
  return sets.Images(np.stack([row[1] for row in rows]), labels)
