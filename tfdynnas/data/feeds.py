"""The feed of a training: batches by step, and their augmentation inside the step."""

import dataclasses

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.data import batches as batches_lib
from tfdynnas.data import dataset as dataset_lib
from tfdynnas.data import order
from tfdynnas.data import streams
from tfdynnas.data.images import augment

STREAMED = 10_000  # Validation images to score on if a set is too large to be held.


@dataclasses.dataclass(frozen=True)
class HeldSteps:
  """Training steps on a held part.

  Attributes:
    index: int32 [steps, batch], positions in the part.
    held: (pixels, labels), the part on the device.
  """

  index: np.ndarray
  held: tuple


class TrainingFeed:
  """Batches of one part of a data set, augmented inside the step's graph.

  A held part is kept on the device, where the step looks up pixels by position. Make the feed
  inside the strategy's scope, so that each device holds a copy.
  """

  def __init__(
      self, data, part, batch, seed, augmentation=augment.Augmentation(), shard=(0, 1)
  ):
    """Puts a held part on the device.

    Args:
      data: Data, for its mean and std.
      part: Images or Stream to train on.
      batch: int >= 1, images per step of all replicas together.
      seed: int in [0, 2**32), of order and augmentation.
      augmentation: augment.Augmentation; images that the stream has cropped are not padded.
      shard: (index, count): this worker's share of each batch, and the number of shares.
    """
    self.batch, self.seed, self._shard = batch, seed, shard
    self.steps_per_epoch = order.steps_per_epoch(part.size, batch)
    cropped = isinstance(part, dataset_lib.Stream) and part.cropped
    self._part = part
    self._augmentation = dataclasses.replace(augmentation, pad=0) if cropped else augmentation
    self._mean, self._std, self._classes = data.mean, data.std, len(data.class_names)
    self._held = None
    if isinstance(part, dataset_lib.Images):
      packed = _on_accelerator()
      kwargs = {"trainable": False, "aggregation": "only_first_replica"}
      pixels = augment.pack(part.images) if packed else part.images
      self._held = keras.Variable(pixels, dtype="float32" if packed else "uint8", **kwargs)
      # float32 labels on an accelerator, since TensorFlow keeps int32 on the host.
      self._labels = keras.Variable(
          part.labels, dtype="float32" if packed else "int32", **kwargs
      )

  @property
  def held_images(self):
    """int, images that a step can look up by position: all of a held part, 0 of a stream."""
    return held_images(self._part)

  def check_held(self):
    """Raises InputError unless the part is held."""
    if self._held is None:
      raise errors.InputError(
          f"Images beyond {dataset_lib.HELD_BYTES} bytes, and random-resized crops, are streamed, "
          "which needs KERAS_BACKEND=tensorflow. "
          f"Received: {self._part.size} of {self._part.image_shape}"
      )

  def steps(self, epochs):
    """int, steps of a training of `epochs` epochs; InputError if there are too many."""
    return order.total_steps(self._part.size, self.batch, epochs)

  def class_counts(self):
    """Images of each class, int64 [classes]; a stream is read once for that, images included."""
    with self.reading():
      labels = self._part.labels if self._held is not None else np.fromiter(
          (label for _, _, label in self._part.ordered().as_numpy_iterator()), np.int32)
    return np.bincount(labels, minlength=self._classes)

  def reading(self):
    """Context for reading `batches` or `prepared`: an InputError names a broken image."""
    return self._part.reading()

  def batches(self, first_step, last_step):
    """tf.data.Dataset of the batches of steps `first_step` to before `last_step`."""
    steps = first_step, last_step
    return batches_lib.train_batches(self._part, self.batch, self.seed, *steps, self._shard)

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
    self.check_held()
    settings = self.seed, self._part.size, self.batch, first_step, last_step
    index = np.concatenate(list(order.step_orders(*settings)))
    own = streams.rows(self.batch, self._shard)
    return HeldSteps(index[:, own], (self._held.value, self._labels.value))

  def prepare(self, batch, step):
    """Images and labels of a batch, a pure function of (seed, step, position in the part).

    Args:
      batch: dict, as `batches` yields; or the `held` and a row of the `index` of `held_steps`. For
        held images, `place`, int32 [batch], may replace the position in the random draws, so that
        an image that occurs twice is augmented in two ways.
      step: int32 scalar, the global step.

    Returns:
      (images, labels): float32 [batch, height, width, 3], normalised; int32 [batch].
    """
    settings = step, self.seed, self._augmentation, self._mean, self._std
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
    """Dataset of (images, labels), augmented, for a model with Keras' own training step."""
    import tensorflow as tf

    steps = tf.data.Dataset.range(first_step, last_step, output_type=tf.int32)
    dataset = tf.data.Dataset.zip(steps, self.batches(first_step, last_step))
    dataset = dataset.map(lambda step, batch: self.prepare(batch, step), tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE)


def held_images(part):
  """int, images of a part that a step can look up by position: all if it is held, else 0."""
  return part.size if isinstance(part, dataset_lib.Images) else 0


def evaluation(data, part, batch):
  """Yields one pass in fixed order: (images float32 normalised, labels int32)."""
  dataset = batches_lib.eval_batches(part, batch)
  with part.reading():
    yield from dataset.map(
        lambda image, label: (augment.eval_images(image, data.mean, data.std), label))


def _on_accelerator():
  """Whether the backend computes on something other than the CPU."""
  devices = keras.distribution.list_devices()
  return any(not str(device).lower().startswith("cpu") for device in devices)


def held_batches(part, batch):
  """Images of a held part as arrays, in fixed order: list of (uint8 [<= batch + 1, ...], int32).

  A last batch of a single image, which batch statistics cannot normalise, joins the one before.
  """
  starts = list(range(0, part.size, batch))
  if len(starts) > 1 and part.size - starts[-1] == 1:
    starts.pop()
  ends = [*starts[1:], part.size]
  return [(part.images[s:e], part.labels[s:e]) for s, e in zip(starts, ends)]


def drawn(part, count, seed):
  """A fixed sample of a part, held in memory: a pure function of (part, count, seed).

  Args:
    part: Images or Stream.
    count: int >= 1; a part with fewer images is taken whole.
    seed: int in [0, 2**32).

  Returns:
    Images, in the order of the part.
  """
  count = min(count, part.size)
  if isinstance(part, dataset_lib.Images):
    chosen = np.sort(order.permutation(seed, part.size)[:count])
    return dataset_lib.Images(part.images[chosen], part.labels[chosen])
  with part.reading():
    rows = [(int(i), image, label) for i, image, label in
            part.shuffled(seed, count, 0, 1).as_numpy_iterator()]
  rows.sort(key=lambda row: row[0])
  labels = np.array([row[2] for row in rows], np.int32)
  return dataset_lib.Images(np.stack([row[1] for row in rows]), labels)


def valid_batches(data, count, batch, seed):
  """Validation images to score on: a pure function of its arguments.

  Args:
    data: data.Data.
    count: int, number of images; 0: all, or STREAMED if the set is not held.
    batch: int, images per batch.
    seed: int in [0, 2**32).

  Returns:
    List of (uint8 [<= batch, height, width, 3], int32 [<= batch]).
  """
  count = count or (data.valid.size if hasattr(data.valid, "images") else STREAMED)
  valid = drawn(data.valid, count, seed)
  # Mixed, since a folder's images may be sorted by class, and each batch has its own statistics.
  mixed = np.random.Generator(np.random.Philox(key=[seed, 1])).permutation(valid.size)
  valid = type(valid)(valid.images[mixed], valid.labels[mixed])
  return held_batches(valid, batch)
