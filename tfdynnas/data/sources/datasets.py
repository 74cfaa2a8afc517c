"""A user's own `tf.data.Dataset`s as parts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfdynnas import errors
from tfdynnas.data import dataset as dataset_lib
from tfdynnas.data import split
from tfdynnas.data import streams

if TYPE_CHECKING:
  import tensorflow as tf

COMPARED = 10_000  # The most images of two iterations to compare.


def from_dataset(
    train: "tf.data.Dataset", valid: "tf.data.Dataset | None" = None,
    test: "tf.data.Dataset | None" = None, class_names: Sequence[str] | None = None,
    valid_share: float | None = None, seed: int = 0, held_bytes: int = dataset_lib.HELD_BYTES,
    test_share: float | None = None,
) -> dataset_lib.Data:
  """Makes a Data from unbatched datasets of (image, label), each the same at every iteration.

  Images are uint8 [height, width, 3] or [height, width, 1], all of one size; labels are integers
  from 0. A set too large to hold is read repeatedly, as a stream. Parts are cut by position: so two
  iterations over the first 10,000 images of a split or streamed dataset are compared.

  Args:
    train: tf.data.Dataset.
    valid: tf.data.Dataset; None takes a share of `train` by a seeded permutation.
    test: tf.data.Dataset or None.
    class_names: Sequence of str; None names the labels by number, 0, 1, 2..., without gaps.
    valid_share: Share in (0, 1) of `train` for validation, without `valid`; None: 0.5.
    seed: int in [0, 2**32), of the split.
    held_bytes: A set with more bytes of pixels than this is streamed.
    test_share: Share in (0, 1) of `train` for the test, without `valid` and `test`; None: no test.

  Returns:
    Data.

  Raises:
    InputError: A dataset has wrong elements, labels or size, or another order at each iteration.

  Example:
    images = np.random.default_rng(0).integers(0, 256, [60, 8, 8, 3], np.uint8)
    dataset = tf.data.Dataset.from_tensor_slices((images, np.arange(60) % 3))
    data = nas.data.from_dataset(dataset, class_names=["ant", "bee", "fly"])
  """
  given = {"train": train, "valid": valid, "test": test}
  return _load(given, class_names, seed, held_bytes, valid_share, test_share)


def _load(given, class_names, seed, held_bytes, *shares):
  """The result of `from_dataset`; `given` is a dict, name of a part -> its dataset or None."""
  shape = _image_shape(given)
  sizes = {name: _size(name, dataset) for name, dataset in given.items() if dataset is not None}
  held = sum(sizes.values()) * int(np.prod(shape)) <= held_bytes
  cuts = _cuts(sizes, seed, *shares)
  parts = _read(given, cuts, sizes, shape, held, class_names)
  class_names = class_names or _names_by_number([parts[name] for name in cuts["train"]])
  for part in parts.values() if held else ():
    _check_labels(part.labels, len(class_names))
  compared = {} if held else {"compared": COMPARED}
  record = {"source": "tf.data.Dataset", "split": _how(cuts), "seed": seed, **compared}
  return dataset_lib.assemble([parts.get(name) for name in given], class_names, record)


def _read(given, cuts, sizes, shape, held, class_names):
  """dict, name of a part -> Images or Stream."""
  if not held and class_names is None:
    raise errors.InputError("A dataset too large to hold needs `class_names`. Received: None")
  parts = {}
  for name, own in cuts.items():
    dataset = given[name].map(lambda image, label: (image, _int32(label)))
    if len(own) > 1 or not held:
      labels = _compared(name, dataset)
      if class_names:
        _check_labels(labels, len(class_names))
    read_parts = _held if held else _streams
    parts.update(zip(own, read_parts(name, dataset, list(own.values()), sizes[name], shape)))
  return parts


def _how(cuts):
  return "seeded permutation" if len(cuts["train"]) > 1 else "datasets"


def _cuts(sizes, seed, valid_share, test_share):
  """dict, name of a dataset -> dict, name of a part -> its places there, sorted."""
  cuts = {name: {name: np.arange(size)} for name, size in sizes.items()}
  if "valid" in sizes:
    split.refuse_share("`valid`", valid_share=valid_share, test_share=test_share)
    return cuts
  if "test" in sizes:
    split.refuse_share("`test`", test_share=test_share)
  places = split.seeded(sizes["train"], seed, valid_share, test_share)
  return {**cuts, "train": dict(zip(("train", "valid", "test"), places))}


def _int32(label):
  """A label as int32; one beyond int32 stays out of range."""
  import tensorflow as tf

  return tf.cast(tf.clip_by_value(tf.cast(label, tf.int64), -1, 2**31 - 1), tf.int32)


def _compared(name, dataset):
  """Refuses a dataset whose iterations differ; returns the labels of the compared images, int32."""
  readings = [dataset.take(COMPARED).batch(256).as_numpy_iterator() for _ in range(2)]
  labels = []
  for (images, own), other in zip(*readings):
    if not (np.array_equal(images, other[0]) and np.array_equal(own, other[1])):
      raise errors.InputError(
          f"Every reading of `{name}` must give the same images in the same order: without "
          "shuffle and random changes, which training does itself (of "
          "image_dataset_from_directory, shuffle=False). "
          f"Received: two that differ within the first {sum(map(len, labels), len(own))}"
      )
    labels.append(own)
  return np.concatenate(labels)


def _image_shape(given):
  """The shape of all images, (height, width, 3)."""
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


def _held(name, dataset, cuts, size, shape):
  """Images of each cut of a dataset, which is read once."""
  import tensorflow as tf

  del name, size
  coloured = dataset.map(lambda image, label: (tf.broadcast_to(image, shape), label))
  return streams.hold_parts(coloured, cuts, shape)


def _streams(name, dataset, cuts, size, shape):
  """Stream of each cut of a dataset."""
  return [_stream(name, dataset, places, size, shape) for places in cuts]


def _stream(name, dataset, places, size, shape):
  """Stream of the images at `places` of a dataset."""
  import tensorflow as tf

  keep = np.zeros(size, bool)
  keep[places] = True

  def packed(image, label):
    return tf.concat([tf.reshape(image, [-1]), tf.bitcast(label, tf.uint8)], 0)

  def unpacked(record, key):
    del key
    image = tf.reshape(record[:-4], [*shape[:2], -1])
    return tf.broadcast_to(image, shape), tf.bitcast(record[-4:], tf.int32)

  # Pixels and label form one row of bytes, so that windows of rows can be permuted.
  numbered = dataset.map(packed).enumerate()
  identity = f"{name} {size} {shape} {streams.digest(keep.tobytes())}"
  return streams.sequential_stream(
      lambda key: numbered, keep, shape, unpacked, identity, int(np.prod(shape))
  )


def _names_by_number(parts):
  """Names "0", "1"... for the labels of parts, which must have no gaps."""
  found = np.unique(np.concatenate([part.labels for part in parts]))
  if len(found) < 2 or not np.array_equal(found, np.arange(len(found))):
    some = ", ".join(map(str, found[:5])) + (f", ... {found[-1]}" if len(found) > 5 else "")
    raise errors.InputError(
        "Labels must be 0, 1 and so on, of two or more classes, each with images of `train`; or "
        f"give `class_names`. Received: {some}"
    )
  return [str(label) for label in found]


def _check_labels(labels, classes):
  low, high = int(labels.min()), int(labels.max())
  if low < 0 or high >= classes:
    raise errors.InputError(
        f"Labels must be in [0, {classes}), one per class name. Received: {low} to {high}"
    )
