"""Feeds: the batches of exactly the steps that are asked for, and of one pass in fixed order."""

from tfdynnas.data import order
from tfdynnas.data import read
from tfdynnas.data import sets


def train_batches(part, batch, seed, first_step, last_step, shard=(0, 1)):
  """Batches of the training steps from `first_step` to before `last_step`.

  A pure function of its arguments: a resume at any step continues the same sequence.

  Args:
    part: Images or Stream.
    batch: Images per step (of all replicas together).
    seed: int in [0, 2**32).
    first_step: Global step to begin with, >= 0.
    last_step: Global step to end before.
    shard: (index, count) of several workers: one gets its share of each batch's images, next to
      each other there. The whole batches are the same whatever the count.

  Returns:
    tf.data.Dataset, prefetched, all shapes static, of dicts; `batch` below is a worker's share.
    Images: `index` int32 [batch], positions in the part; the pixels are looked up where they lie
    (see `augment.train_images`), so that a step sends the device a few hundred bytes.
    Stream: `image` uint8 [batch, height, width, 3], `label` int32 [batch], `index` int32 [batch].

  Raises:
    InputError: An argument is out of range.
  """
  import tensorflow as tf

  order.check_steps(seed, part.size, batch, first_step, last_step)
  if isinstance(part, sets.Images):
    dataset = read.positions(seed, part.size, batch, first_step, last_step, shard)
    dataset = dataset.map(lambda index: {"index": index})
  else:
    dataset = part.shuffled(seed, batch, first_step, last_step, shard, crop=part.cropped)
    dataset = dataset.batch(batch // shard[1], drop_remainder=True).map(
        lambda index, image, label: {"image": image, "label": label, "index": index}
    )
  dataset = dataset.apply(tf.data.experimental.assert_cardinality(last_step - first_step))
  return dataset.prefetch(tf.data.AUTOTUNE)


def eval_batches(part, batch):
  """Batches of one pass over a part in its fixed order; the last one may be smaller.

  Args:
    part: Images or Stream.
    batch: Images per batch.

  Returns:
    tf.data.Dataset, prefetched, of (image uint8 [<= batch, height, width, 3],
    label int32 [<= batch]).

  Raises:
    InputError: `batch` is below 1.
  """
  import tensorflow as tf

  steps = order.steps_per_epoch(part.size, batch)
  if isinstance(part, sets.Images):
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
