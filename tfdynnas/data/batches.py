"""Batches: those of given training steps, and those of one pass in fixed order."""

import itertools
from typing import TYPE_CHECKING

from tfdynnas.data import dataset as dataset_lib
from tfdynnas.data import order
from tfdynnas.data import streams

if TYPE_CHECKING:
  import tensorflow as tf


def train_batches(
    part: dataset_lib.Images | dataset_lib.Stream, batch: int, seed: int, first_step: int,
    last_step: int, shard: tuple[int, int] = (0, 1),
) -> "tf.data.Dataset":
  """Batches of the training steps from `first_step` to before `last_step`.

  A pure function of its arguments: a resume at any step continues the same sequence.

  Args:
    part: Images or Stream.
    batch: Images per step (of all replicas together).
    seed: int in [0, 2**32).
    first_step: Global step to begin with, >= 0.
    last_step: Global step to end before.
    shard: (index, count) of several workers: each gets a contiguous share of each batch. The whole
      batches do not depend on the count.

  Returns:
    tf.data.Dataset, prefetched, all shapes static, of dicts; `batch` below is a worker's share.
    Images: `index` int32 [batch], positions in the part; the pixels are looked up on the device
    (see `augment.train_images`), so that a step sends it only a few hundred bytes.
    Stream: `image` uint8 [batch, height, width, 3], `label` int32 [batch], `index` int32 [batch].

  Raises:
    InputError: An argument is out of range.

  Example:
    for batch in nas.data.train_batches(data.train, 64, seed=0, first_step=0, last_step=2):
      print(data.train.labels[batch["index"]])
  """
  import tensorflow as tf

  order.check_steps(seed, part.size, batch, first_step, last_step)
  dataset = _steps(part, batch, seed, first_step, last_step, shard)
  dataset = dataset.apply(tf.data.experimental.assert_cardinality(last_step - first_step))
  return dataset.prefetch(tf.data.AUTOTUNE)


def _steps(part, batch, seed, first_step, last_step, shard):
  """The dataset of `train_batches`, of unknown length."""
  if isinstance(part, dataset_lib.Images):
    dataset = streams.positions(seed, part.size, batch, first_step, last_step, shard)
    return dataset.map(lambda index: {"index": index})
  dataset = part.shuffled(seed, batch, first_step, last_step, shard, crop=part.cropped)
  return dataset.batch(batch // shard[1], drop_remainder=True).map(
      lambda index, image, label: {"image": image, "label": label, "index": index}
  )


def eval_batches(
    part: dataset_lib.Images | dataset_lib.Stream, batch: int
) -> "tf.data.Dataset":
  """Batches of one pass over a part in its fixed order; the last one may be smaller.

  Args:
    part: Images or Stream.
    batch: Images per batch.

  Returns:
    tf.data.Dataset, prefetched, of (image uint8 [<= batch, height, width, 3],
    label int32 [<= batch]).

  Raises:
    InputError: `batch` is below 1.

  Example:
    for images, labels in nas.data.eval_batches(data.valid, 250):
      print(images.shape, labels.shape)
  """
  import tensorflow as tf

  steps = order.steps_per_epoch(part.size, batch)
  if isinstance(part, dataset_lib.Images):
    # Slices from a generator: `from_tensor_slices` would copy the whole set once more.
    dataset = tf.data.Dataset.from_generator(
        lambda: (
            (part.images[start:start + batch], part.labels[start:start + batch])
            for start in range(0, part.size, batch)
        ),
        output_signature=(
            tf.TensorSpec([None, *part.image_shape], tf.uint8), tf.TensorSpec([None], tf.int32)
        ),
    )
  else:
    dataset = part.ordered().map(lambda index, image, label: (image, label)).batch(batch)
  return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(tf.data.AUTOTUNE)


def normalised(part, mean, std, batch, seed=None):
  """Batches of a part for any Keras model, one pass over it at each iteration.

  Args:
    part: Images or Stream.
    mean: float32 [3], in pixel units 0..255.
    std: float32 [3], in pixel units 0..255.
    batch: int >= 1, images per batch.
    seed: int in [0, 2**32): each iteration has another order, a function of the seed and the number
      of earlier iterations, and fills up the last batch from its start. None: the fixed order,
      whose last batch may be smaller.

  Returns:
    tf.data.Dataset, prefetched, of (image float32 [<= batch, height, width, 3], (pixels - mean) /
    std; label int32 [<= batch]).

  Raises:
    InputError: An argument is out of range.
  """
  import tensorflow as tf

  dataset = eval_batches(part, batch) if seed is None else _readings(part, batch, seed)
  mean, std = tf.constant(mean, tf.float32), tf.constant(std, tf.float32)
  return dataset.map(
      lambda image, label: ((tf.cast(image, tf.float32) - mean) / std, label)
  ).prefetch(tf.data.AUTOTUNE)


def _readings(part, batch, seed):
  """Dataset of (image uint8, label), the next epoch at each iteration."""
  import tensorflow as tf

  steps, epoch = order.steps_per_epoch(part.size, batch), itertools.count()
  order.check_steps(seed, part.size, batch, 0, steps)

  def read():
    first = next(epoch) * steps
    for one in train_batches(part, batch, seed, first, first + steps).as_numpy_iterator():
      index = one["index"]
      held = isinstance(part, dataset_lib.Images)
      yield (part.images[index], part.labels[index]) if held else (one["image"], one["label"])

  signature = (
      tf.TensorSpec([batch, *part.image_shape], tf.uint8), tf.TensorSpec([batch], tf.int32)
  )
  dataset = tf.data.Dataset.from_generator(read, output_signature=signature)
  return dataset.apply(tf.data.experimental.assert_cardinality(steps))
