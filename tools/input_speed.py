"""Images per second of the input, from JPEG files to batches, against decoding alone."""

import os
import pathlib
import tempfile
import time

import numpy as np
import tensorflow as tf

from tfdynnas import data
from tfdynnas.data import feeds
from tfdynnas.data.images import augment

BATCH = 64
SIDE = 256  # Height and width of the JPEGs.
QUALITY = 90


def measure(data_dir, photos, image_size, blocks):
  """Reads a folder of JPEGs, made from CIFAR-10's images, in interleaved blocks.

  Args:
    data_dir: Folder of prepared tfds sets; None stands for tfds' own default.
    photos: int >= 64, number of JPEGs, and of those that a block reads.
    image_size: int >= 1, size that the crops are resized to.
    blocks: int >= 1.

  Yields:
    Lines of text.
  """
  with tempfile.TemporaryDirectory() as folder:
    size = write_photos(folder, data_dir, photos)
    yield (f"{os.cpu_count()} CPUs, TensorFlow {tf.__version__}; {photos} images of CIFAR-10, "
           f"enlarged to {SIDE}x{SIDE}, JPEG of {size / photos / 1024:.1f} KiB; batch {BATCH}, "
           f"{blocks} interleaved blocks; median [quartiles]")
    loaded = data.from_folder(folder, image_size, crop="resized")
    plain, coloured = (
        feeds.TrainingFeed(
            loaded, loaded.train, BATCH, 0, augment.Augmentation(0, True, *jitter))
        for jitter in ((0.0, 0.0), (0.4, 0.1))
    )
    paths = [str(path) for path in sorted(pathlib.Path(folder).glob("*/*.jpg"))]
    steps = photos // BATCH
    runs = {
        "decode": lambda: _decoding(paths, steps * BATCH),
        "input": lambda: plain.batches(0, steps),
    }
    rates = _rates(runs, steps * BATCH, blocks)
    (batch,) = plain.batches(0, 1)
  ratio = _spread(rates["input"] / rates["decode"])
  yield f"files decoded, images per second: {_spread(rates['decode'])}"
  yield (f"files to random-resized crops of {image_size}x{image_size}, images per second: "
         f"{_spread(rates['input'])}, over decoding alone {ratio}")
  for name, feed in (("flip", plain), ("flip, colours", coloured)):
    yield f"{name} and normalise in the step, milliseconds a batch: {_milliseconds(feed, batch)}"


def write_photos(folder, data_dir, photos):
  """Writes the first images of CIFAR-10 as JPEGs of SIDE x SIDE in class folders.

  Args:
    folder: Folder to write to.
    data_dir: Folder of prepared tfds sets; None stands for tfds' own default.
    photos: int >= 1, number of images.

  Returns:
    int, bytes in all.
  """
  images = data.from_tfds("cifar10", data_dir, held_bytes=2**40).train
  total = 0
  for number in range(photos):
    large = tf.image.resize(images.images[number], [SIDE, SIDE], method="bicubic")
    large = tf.cast(tf.clip_by_value(tf.round(large), 0, 255), tf.uint8)
    content = tf.io.encode_jpeg(large, quality=QUALITY).numpy()
    path = pathlib.Path(folder) / str(images.labels[number]) / f"{number:06}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    total += len(content)
  return total


def _decoding(paths, count):
  """The least work of tf.data: each file read, and decoded whole."""
  files = tf.data.Dataset.from_tensor_slices(paths).repeat().take(count)
  decoded = files.map(
      lambda path: tf.io.decode_jpeg(tf.io.read_file(path), channels=3), tf.data.AUTOTUNE
  )
  return decoded.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def _rates(runs, count, blocks):
  """dict, name -> images per second, [blocks]."""
  rates = {name: [] for name in runs}
  for block in range(-1, blocks):  # The first, not counted, brings the files into memory.
    for name in list(runs) if block % 2 else list(runs)[::-1]:
      start = time.perf_counter()
      for _ in runs[name]():
        pass
      if block >= 0:
        rates[name].append(count / (time.perf_counter() - start))
  return {name: np.array(values) for name, values in rates.items()}


def _milliseconds(feed, batch):
  """Spread of the time that a step takes to prepare its images on its device."""
  prepare = tf.function(lambda step: feed.prepare(batch, step)[0], autograph=False)
  seconds = []
  for step in range(6):  # The first traces.
    start = time.perf_counter()
    prepare(tf.constant(step)).numpy()
    seconds.append(time.perf_counter() - start)
  return _spread(1000 * np.array(seconds[1:]))


def _spread(values):
  low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
  return f"{middle:.3g} [{low:.3g}, {high:.3g}]"
