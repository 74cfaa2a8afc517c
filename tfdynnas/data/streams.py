"""Reads records into memory, or makes Streams from them."""

import dataclasses
import hashlib

import numpy as np

from tfdynnas import errors
from tfdynnas.data import dataset as dataset_lib
from tfdynnas.data import order

_WINDOW_BYTES = 2**28  # Of encoded records that are shuffled together: 256 MiB.


def look_at(parts):
  """Reads the scored streams once, so that a broken image is found at the start."""
  for part in parts:
    if isinstance(part, dataset_lib.Stream):
      with part.reading():
        for _ in part.ordered().batch(256):
          pass


def hold(dataset, count, image_shape, encoded=None):
  """Reads a dataset of (image, label) into memory.

  Args:
    dataset: tf.data.Dataset of uint8 [height, width, 3] and integer scalars.
    count: The most images to read.
    image_shape: (height, width, 3).
    encoded: Positions -> list of bytes, or None; see `dataset.Images`.

  Returns:
    Images, as many as the dataset has.
  """
  (found,) = hold_parts(dataset, [np.arange(count)], image_shape)
  return dataclasses.replace(found, encoded=encoded)


def hold_parts(dataset, cuts, image_shape):
  """Reads the parts of a dataset of (image, label) into memory, in one pass.

  Args:
    dataset: tf.data.Dataset of uint8 [height, width, 3] and integer scalars.
    cuts: List of int arrays, sorted: the places of each part.
    image_shape: (height, width, 3).

  Returns:
    List of Images, one per cut, with as many of its images as the dataset has.
  """
  images = [np.empty((len(places), *image_shape), np.uint8) for places in cuts]
  labels = [np.empty(len(places), np.int32) for places in cuts]
  start = 0
  for image, label in dataset.batch(256).prefetch(2).as_numpy_iterator():
    for places, own_images, own_labels in zip(cuts, images, labels):
      first, last = np.searchsorted(places, [start, start + len(label)])
      chosen = places[first:last] - start
      own_images[first:last], own_labels[first:last] = image[chosen], label[chosen]
    start += len(label)
  ends = [np.searchsorted(places, start) for places in cuts]
  return [
      dataset_lib.Images(*(own[:end] for own in both)) for *both, end in zip(images, labels, ends)
  ]


def rows(batch, shard):
  """The rows of each batch that are a worker's share: contiguous, as for replicas.

  Args:
    batch: int, images per step of all workers together.
    shard: (index, count) of the worker.

  Returns:
    slice.

  Raises:
    InputError: The share is impossible.
  """
  index, count = shard
  if not 0 <= index < count or batch % count:
    raise errors.InputError(
        "`shard` must be (index, count), index in [0, count), and count must divide `batch`. "
        f"Received: {shard=}, {batch=}"
    )
  share = batch // count
  return slice(index * share, (index + 1) * share)


def positions(seed, size, batch, first_step, last_step, shard=(0, 1)):
  """Dataset of the positions that each step sees.

  Args:
    seed: int in [0, 2**32).
    size: Number of images.
    batch: Images per step.
    first_step: Global step to begin with.
    last_step: Global step to end before.
    shard: (index, count) of the worker, which gets its share.

  Returns:
    tf.data.Dataset of int32 [batch / count].
  """
  import tensorflow as tf

  own = rows(batch, shard)
  # By epoch, not by step: TensorFlow then calls Python once for many steps.
  epochs = tf.data.Dataset.from_generator(
      lambda: (o[:, own] for o in order.step_orders(seed, size, batch, first_step, last_step)),
      output_signature=tf.TensorSpec([None, own.stop - own.start], tf.int32),
  )
  return epochs.unbatch()


def indexed_stream(size, image_shape, decode, identity, cropped=False, encoded=None):
  """Stream of a source that can read any image at any time, such as a list of files.

  Args:
    size: Number of images.
    image_shape: (height, width, 3).
    decode: (int32 scalar tensor, key) -> (uint8 image, int32 label); see `_decoded`.
    identity: str of names and sizes.
    cropped: Whether `decode` crops images with a key at random.
    encoded: Positions -> list of bytes, or None; see `dataset.Images`.

  Returns:
    Stream, shuffled over all its images.
  """
  import tensorflow as tf

  def read(indices, crops=None):
    pairs = indices.map(lambda index: (index, index))
    return _decoded(pairs, decode, image_shape, crops)

  def shuffled(seed, batch, first_step, last_step, shard=(0, 1), crop=False):
    places = positions(seed, size, batch, first_step, last_step, shard)
    return read(places.unbatch(), (seed, first_step, batch // shard[1]) if crop else None)

  def ordered():
    return read(tf.data.Dataset.range(size, output_type=tf.int32))

  identity = digest(identity.encode())
  return dataset_lib.Stream(
      ordered, shuffled, size, tuple(image_shape), identity, cropped, encoded=encoded
  )


def sequential_stream(
    records, keep, image_shape, decode, identity, record_bytes, cropped=False, undecoded=None
):
  """Stream of a source that can only be read from start to end, such as TFRecord files.

  Shuffled as far as memory allows: `records` gives a seeded order of files, and 256 MiB of encoded
  records are permuted at a time. A resume in the middle of an epoch reads the earlier records, but
  does not decode them.

  Args:
    records: key -> tf.data.Dataset of (position, record). `key` is an int64 [2] tensor that
      orders the files, or None for the fixed order; `position` is an int64 scalar, the record's
      place in the fixed order.
    keep: bool [positions]: the records that belong to this part.
    image_shape: (height, width, 3).
    decode: (record, key) -> (uint8 image, int32 label); see `_decoded`.
    identity: str of names and sizes.
    record_bytes: Mean size of a record.
    cropped: Whether `decode` crops images with a key at random.
    undecoded: record -> its encoded image; None if images have no encoded form.

  Returns:
    Stream.
  """
  size = int(np.sum(keep))
  window = int(np.clip(_WINDOW_BYTES // max(record_bytes, 1), 256, size + 256))

  def ordered():
    return _decoded(_kept(records(None), keep), decode, image_shape)

  def shuffled(seed, batch, first_step, last_step, shard=(0, 1), crop=False):
    steps = seed, batch, first_step, last_step
    pairs = _shuffled(lambda key: _kept(records(key), keep), size, window, *steps)
    crops = (seed, first_step, batch // shard[1]) if crop else None
    return _decoded(_share(pairs, batch, shard), decode, image_shape, crops)

  read = undecoded and (lambda places: _undecoded(_kept(records(None), keep), places, undecoded))
  facts = size, tuple(image_shape), digest(identity.encode()), cropped
  return dataset_lib.Stream(ordered, shuffled, *facts, encoded=read)


def _undecoded(pairs, places, undecoded):
  """The encoded images at some places of a dataset of (index, record), list of bytes."""
  import tensorflow as tf

  pairs = pairs.take(max(places) + 1)
  pairs = pairs.filter(lambda index, _: tf.reduce_any(index == list(places)))
  images = pairs.map(lambda index, record: (index, undecoded(record)))
  found = dict(images.as_numpy_iterator())
  return [found[place] for place in places]


def _share(pairs, batch, shard):
  """The pairs of a dataset that are a worker's share; see `rows`."""
  own = rows(batch, shard)
  if own == slice(0, batch):
    return pairs
  return pairs.batch(batch).map(lambda *pair: tuple(part[own] for part in pair)).unbatch()


def file_records(paths, lengths):
  """The records of TFRecord files, for `sequential_stream`.

  Args:
    paths: List of str.
    lengths: List of int, records of each file.

  Returns:
    Callable, key -> tf.data.Dataset of (position in file order, serialised record); it raises
    tf.errors.FailedPreconditionError if a file has fewer or more records.
  """
  import tensorflow as tf

  lengths = np.array(lengths, np.int64)
  starts = np.cumsum(lengths) - lengths

  def one_file(path, start, length):
    file = tf.data.TFRecordDataset(path, buffer_size=2**20)
    return file.apply(tf.data.experimental.assert_cardinality(length)).enumerate(start)

  def records(key):
    if key is None:
      return tf.data.Dataset.from_tensor_slices((paths, starts, lengths)).flat_map(one_file)
    places = key_permutation(len(paths), key)
    files = tf.data.Dataset.from_tensor_slices(
        tuple(tf.gather(facts, places) for facts in (paths, starts, lengths))
    )
    return files.interleave(
        one_file, cycle_length=16, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )

  return records


def _decoded(pairs, decode, image_shape, crops=None):
  """Decodes a dataset of (index, item) in parallel, in its order.

  Args:
    pairs: tf.data.Dataset of (int32 index, item).
    decode: (item, key) -> (image, label). `key` is (seed, step, index), which determines the crop
      of an image; None gives the image as for scoring.
    image_shape: (height, width, 3).
    crops: (seed, first step, images of a step) for the keys; None for no keys.

  Returns:
    tf.data.Dataset of (index, image, label).
  """
  import tensorflow as tf

  if crops is None:
    return pairs.map(
        lambda index, item: (index, *_shaped(decode(item, None), image_shape)), tf.data.AUTOTUNE
    )
  seed, first_step, share = crops

  def cropped(number, pair):
    key = seed, number // share, pair[0]
    return pair[0], *_shaped(decode(pair[1], key), image_shape)

  return pairs.enumerate(first_step * share).map(cropped, tf.data.AUTOTUNE)


def _kept(records, keep):
  """The records at the positions in `keep`, renumbered: (int32 index, record)."""
  import tensorflow as tf

  mine = tf.constant(keep, tf.bool)
  indices = tf.cumsum(tf.cast(mine, tf.int32), exclusive=True)

  def pick(places, block):
    chosen = tf.gather(mine, places)
    return tf.gather(indices, tf.boolean_mask(places, chosen)), tf.boolean_mask(block, chosen)

  # By blocks: a filter called for each record costs as much as decoding a small one.
  return records.batch(1024).map(pick).unbatch()


def _shuffled(kept, size, window, seed, batch, first_step, last_step):
  """The (index, record) pairs of the steps; `kept` is key -> the pairs of one pass."""
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
    # Epoch and window share the key's second word, one half each.
    places = key_permutation(tf.shape(pair[0])[0], key + tf.stack([0, (number + 1) * 2**32]))
    return tf.gather(pair[0], places), tf.gather(pair[1], places)

  return pairs.batch(window).enumerate().map(permute).prefetch(1).unbatch()


def key_permutation(count, key):
  """A permutation as a function of a key alone, independent of TensorFlow's global seed.

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


def check_name(path):
  """Raises InputError unless the name of a file or folder is UTF-8, as TensorFlow requires."""
  try:
    path.encode()
  except UnicodeEncodeError:
    raise errors.InputError(
        f"Names of files and folders must be UTF-8. Received: {path!r}"
    ) from None


def digest(content):
  """SHA-256 of bytes, as hex digits."""
  return hashlib.sha256(content).hexdigest()
