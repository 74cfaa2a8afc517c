"""Reads records into memory, or makes Streams of them."""

import hashlib

import numpy as np

from tfdynnas.data import order
from tfdynnas.data import sets

_WINDOW_BYTES = 2**28  # Undecoded records that are shuffled together: 256 MiB.


def hold(dataset, count, image_shape):
  """Reads a dataset of (image, label) into memory.

  Args:
    dataset: tf.data.Dataset of uint8 [height, width, 3] and integer scalars.
    count: Number of images at most.
    image_shape: (height, width, 3).

  Returns:
    Images, as many as the dataset had.
  """
  images = np.empty((count, *image_shape), np.uint8)
  labels = np.empty(count, np.int32)
  place = 0
  for image, label in dataset.batch(256).prefetch(2).as_numpy_iterator():
    images[place:place + len(label)] = image
    labels[place:place + len(label)] = label
    place += len(label)
  return sets.Images(images[:place], labels[:place])


def positions(seed, size, batch, first_step, last_step):
  """Dataset of the positions that each step sees.

  Args:
    seed: int in [0, 2**32).
    size: Number of images.
    batch: Images per step.
    first_step: Global step to begin with.
    last_step: Global step to end before.

  Returns:
    tf.data.Dataset of int32 [batch].
  """
  import tensorflow as tf

  # By epochs, not by steps: one call from TensorFlow into Python for many steps.
  epochs = tf.data.Dataset.from_generator(
      lambda: order.step_orders(seed, size, batch, first_step, last_step),
      output_signature=tf.TensorSpec([None, batch], tf.int32),
  )
  return epochs.unbatch()


def indexed_stream(size, image_shape, decode, identity):
  """Stream of a source that can read any image at any time, such as a list of files.

  Args:
    size: Number of images.
    image_shape: (height, width, 3).
    decode: int32 scalar tensor -> (uint8 image, int32 label).
    identity: str of names and sizes.

  Returns:
    Stream, shuffled over all its images.
  """
  import tensorflow as tf

  def read(indices):
    return indices.map(
        lambda index: (index, *_shaped(decode(index), image_shape)), tf.data.AUTOTUNE
    )

  def shuffled(*steps):
    return read(positions(steps[0], size, *steps[1:]).unbatch())

  def ordered():
    return read(tf.data.Dataset.range(size, output_type=tf.int32))

  return sets.Stream(ordered, shuffled, size, tuple(image_shape), digest(identity.encode()))


def sequential_stream(records, keep, image_shape, decode, identity, record_bytes):
  """Stream of a source that can only be read from start to end, such as TFRecord files.

  Shuffled as far as memory goes: `records` is asked for a seeded order of files, and 256 MiB of
  undecoded records are permuted at a time. A resume in the middle of an epoch reads the records
  before it, but does not decode them.

  Args:
    records: key -> tf.data.Dataset of (position, record). `key` is an int64 [2] tensor that
      orders the files, or None for the fixed order; `position` is an int64 scalar, the record's
      place in the fixed order.
    keep: bool [positions]: the records that belong to this part.
    image_shape: (height, width, 3).
    decode: A record -> (uint8 image, int32 label).
    identity: str of names and sizes.
    record_bytes: Mean size of an undecoded record.

  Returns:
    Stream.
  """
  import tensorflow as tf

  size = int(np.sum(keep))
  window = int(np.clip(_WINDOW_BYTES // max(record_bytes, 1), 256, size + 256))

  def read(dataset):
    return dataset.map(
        lambda index, record: (index, *_shaped(decode(record), image_shape)), tf.data.AUTOTUNE
    )

  def ordered():
    return read(_kept(records(None), keep))

  def shuffled(*steps):
    return read(_shuffled(lambda key: _kept(records(key), keep), size, window, *steps))

  return sets.Stream(ordered, shuffled, size, tuple(image_shape), digest(identity.encode()))


def _kept(records, keep):
  """The records at the positions in `keep`, numbered anew: (int32 index, record)."""
  import tensorflow as tf

  mine = tf.constant(keep, tf.bool)
  indices = tf.cumsum(tf.cast(mine, tf.int32), exclusive=True)

  def pick(places, block):
    chosen = tf.gather(mine, places)
    return tf.gather(indices, tf.boolean_mask(places, chosen)), tf.boolean_mask(block, chosen)

  # By blocks: a filter that is called for each record costs as much as decoding a small one.
  return records.batch(1024).map(pick).unbatch()


def _shuffled(kept, size, window, seed, batch, first_step, last_step):
  """The (index, record) pairs of the steps; `kept` is key -> those of one pass."""
  import tensorflow as tf

  steps = order.steps_per_epoch(size, batch)

  def epoch_records(epoch):
    key = tf.stack([tf.constant(seed, tf.int64), epoch])
    return _permute(kept(key), key, window).repeat().take(steps * batch)

  first = first_step // steps
  epochs = tf.data.Dataset.range(first, max(-(-last_step // steps), first))
  pairs = epochs.flat_map(epoch_records).skip((first_step - first * steps) * batch)
  return pairs.take((last_step - first_step) * batch)


def _permute(pairs, key, window):
  """Permutes a dataset of (index, record) within windows."""
  import tensorflow as tf

  def permute(number, pair):
    # Epochs and windows share the key's second word, each with its half.
    places = key_permutation(tf.shape(pair[0])[0], key + tf.stack([0, (number + 1) * 2**32]))
    return tf.gather(pair[0], places), tf.gather(pair[1], places)

  return pairs.batch(window).enumerate().map(permute).prefetch(1).unbatch()


def key_permutation(count, key):
  """A permutation as a function of a key alone: no global TensorFlow seed enters it.

  Args:
    count: int scalar tensor.
    key: int64 [2] tensor.

  Returns:
    int32 [count] tensor.
  """
  import tensorflow as tf

  words = tf.random.stateless_uniform(
      [count], key, minval=None, maxval=None, dtype=tf.int64, alg="philox"
  )
  return tf.argsort(words, stable=True)


def _shaped(pair, image_shape):
  """Declares the static shape that decoding hides."""
  import tensorflow as tf

  image, label = pair
  return tf.ensure_shape(image, image_shape), tf.cast(label, tf.int32)


def digest(content):
  """SHA-256 of bytes, as hex digits."""
  return hashlib.sha256(content).hexdigest()
