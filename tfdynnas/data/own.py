"""A user's own `tf.data.Dataset`s as parts."""

import numpy as np

from tfdynnas import errors
from tfdynnas.data import read
from tfdynnas.data import sets
from tfdynnas.data import split


def from_dataset(
    train, valid=None, test=None, class_names=None, valid_share=0.5, seed=0,
    held_bytes=sets.HELD_BYTES,
):
  """Makes a Data of unbatched datasets of (image, label), each the same whenever it is read.

  Images are uint8 [height, width, 3] or [height, width, 1], all of one size; labels are integers
  from 0. A set that is too large to hold is read again and again, as a stream.

  Args:
    train: tf.data.Dataset.
    valid: tf.data.Dataset; None takes a share of `train` by a seeded permutation.
    test: tf.data.Dataset or None.
    class_names: Sequence of str; None names the labels 0, 1, 2... by number.
    valid_share: Share in (0, 1) of `train` for validation, if `valid` is None.
    seed: int in [0, 2**32), of the split.
    held_bytes: A set with more bytes of pixels than this is streamed.

  Returns:
    Data.

  Raises:
    InputError: A dataset has other elements, no known size, or labels beyond the names.
  """
  given = {"train": train, "valid": valid, "test": test}
  shape = _image_shape(given)
  sizes = {name: _size(name, dataset) for name, dataset in given.items() if dataset is not None}
  held = sum(sizes.values()) * int(np.prod(shape)) <= held_bytes
  places = {name: np.arange(size) for name, size in sizes.items()}
  if valid is None:
    places["train"], places["valid"] = split.seeded(sizes["train"], valid_share, seed)
    given["valid"], sizes["valid"] = train, sizes["train"]
  parts = [
      _part(name, given[name], places[name], sizes[name], shape, held) if name in places else None
      for name in given
  ]
  class_names = class_names or _names_by_number(parts)
  _check_labels(parts, class_names)
  return sets.assemble(parts, class_names, _record(valid, seed))


def _record(valid, seed):
  how = "seeded permutation" if valid is None else "datasets"
  return {"source": "tf.data.Dataset", "split": how, "seed": seed}


def _image_shape(given):
  """(height, width, 3), the one shape of all images."""
  shapes = set()
  for name, dataset in given.items():
    if dataset is None:
      continue
    spec = dataset.element_spec
    image = spec[0] if isinstance(spec, tuple) and len(spec) == 2 else None
    shape = getattr(image, "shape", None)
    if (shape is None or shape.rank != 3 or None in tuple(shape) or shape[2] not in (1, 3)
        or image.dtype != "uint8" or not spec[1].dtype.is_integer or spec[1].shape.rank != 0):
      raise errors.InputError(
          f"`{name}` must give (uint8 image [height, width, 3], integer label), unbatched. "
          f"Received: {spec}"
      )
    shapes.add(tuple(shape[:2]))
  if len(shapes) != 1:
    raise errors.InputError(f"All parts need images of one size. Received: {sorted(shapes)}")
  return (*shapes.pop(), 3)


def _size(name, dataset):
  size = int(dataset.cardinality())
  if size < 1:
    raise errors.InputError(
        f"`{name}` must have a known size of 1 or more; state it with "
        f"dataset.apply(tf.data.experimental.assert_cardinality(n)). Received: cardinality {size}"
    )
  return size


def _part(name, dataset, places, size, shape, held):
  """Stream of the images at `places` of a dataset, or Images read from it."""
  import tensorflow as tf

  keep = np.zeros(size, bool)
  keep[places] = True

  def packed(image, label):
    label = tf.cast(tf.reshape(label, [1]), tf.int32)
    return tf.concat([tf.reshape(image, [-1]), tf.bitcast(label, tf.uint8)[0]], 0)

  def unpacked(record, key):
    del key
    image = tf.reshape(record[:-4], [*shape[:2], -1])
    return tf.broadcast_to(image, shape), tf.bitcast(record[-4:], tf.int32)

  # Pixels and label travel as one row of bytes, so that windows of them can be permuted.
  numbered = dataset.map(packed).enumerate()
  identity = f"{name} {size} {shape} {read.digest(keep.tobytes())}"
  stream = read.sequential_stream(
      lambda key: numbered, keep, shape, unpacked, identity, int(np.prod(shape))
  )
  if not held:
    return stream
  images = stream.ordered().map(lambda _, image, label: (image, label))
  return read.hold(images, len(places), shape)


def _names_by_number(parts):
  """Names "0", "1"... up to the largest label, which streams do not know."""
  if not isinstance(parts[0], sets.Images):
    raise errors.InputError("A dataset too large to hold needs `class_names`. Received: None")
  return [str(label) for label in range(int(parts[0].labels.max()) + 1)]


def _check_labels(parts, class_names):
  for part in parts:
    if isinstance(part, sets.Images):
      low, high = int(part.labels.min()), int(part.labels.max())
      if low < 0 or high >= len(class_names):
        raise errors.InputError(
            f"Labels must be in [0, {len(class_names)}), one per class name. "
            f"Received: {low} to {high}"
        )
