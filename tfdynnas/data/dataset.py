"""A data set, whatever its source: three parts, class names, constants and a record."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from tfdynnas import errors
from tfdynnas.data import broken
from tfdynnas.data import class_names as names_lib

if TYPE_CHECKING:
  import tensorflow as tf

  from tfdynnas.data.images import preparation

HELD_BYTES = 2**30  # A part of up to 1 GiB of pixels is held in memory; a larger one is streamed.
MEASURED = 10_000  # The most images to measure mean and std on.


@dataclasses.dataclass(frozen=True)
class Images:
  """A small set, held in memory.

  Attributes:
    images: uint8 [n, height, width, 3].
    labels: int32 [n].
    encoded: Sequence of positions -> list of bytes, the encoded images at these; None if the images
      have no encoded form.

  Example:
    images = np.zeros([6, 8, 8, 3], np.uint8)
    part = nas.data.Images(images, labels=np.array([0, 1, 2, 0, 1, 2], np.int32))
  """

  images: np.ndarray
  labels: np.ndarray
  encoded: Callable | None = None

  @property
  def size(self) -> int:
    """Number of images."""
    return len(self.labels)

  @property
  def image_shape(self) -> tuple[int, ...]:
    """(height, width, 3)."""
    return tuple(int(side) for side in self.images.shape[1:])

  def reading(self) -> contextlib.AbstractContextManager:
    """Context for reading, as for a Stream; here it does nothing, since held images are intact."""
    return contextlib.nullcontext()


@dataclasses.dataclass(frozen=True)
class Stream:
  """A large set, decoded as it is read. `ordered` and `shuffled` make datasets of single images.

  Attributes:
    ordered: () -> tf.data.Dataset of (index, image, label), one pass in a fixed order: int32, uint8
      [height, width, 3], int32; `index` is the image's position in the fixed order.
    shuffled: (seed, batch, first_step, last_step, shard=(0, 1), crop=False) -> the same for the
      training steps from `first_step` to before `last_step`, with the share of worker `shard` =
      (index, count) of each batch. The order is a pure function of (seed, epoch); every epoch fills
      up its last batch from its own start. With `crop`, the images of a `cropped` stream are cut at
      random, a pure function of (seed, step, index); without, they are cut as for scoring.
    size: Number of images.
    image_shape: (height, width, 3).
    identity: Hex digest of the names and sizes of the source.
    cropped: Whether its training images are random crops.
    labels: int32 [size], in the fixed order; None if unknown until it is read.
    digests: () -> list of hex digests [size] of the encoded images; None if that is too much to
      read.
    encoded: Sequence of positions -> list of bytes, as for Images.
    check: () -> None; reads the whole source, and raises an InputError that names a broken image.

  Example:
    stream = nas.data.from_folder("photos", held_bytes=0).train  # Too large to be held.
    print(stream.size, stream.image_shape)
  """

  ordered: Callable
  shuffled: Callable
  size: int
  image_shape: tuple[int, int, int]
  identity: str
  cropped: bool = False
  labels: np.ndarray | None = None
  digests: Callable = lambda: None
  encoded: Callable | None = None
  check: Callable = lambda: None

  def reading(self) -> contextlib.AbstractContextManager:
    """Context for reading its datasets: an InputError names the image that cannot be read."""
    return broken.named(self.check)


@dataclasses.dataclass(frozen=True)
class Data:
  """The parts of a data set, with class names, constants and a record.

  Attributes:
    train: Images to train weights on.
    valid: Images to compare architectures on.
    test: Images for the final accuracy; None if the source has none.
    class_names: One name per label.
    mean: float32 [3], in pixel units 0..255.
    std: float32 [3], in pixel units 0..255.
    record: JSON-able dict for the run directory, compared at a resume: source, split, seed, sizes,
      image_shape, fingerprint, mean, std and further entries of the source.
    preparation: preparation.Preparation, how its encoded images became pixels; None if it was made
      from pixels.
    made_by: dict, arguments of `data.load` that load it again; None if it was made otherwise.

  Example:
    print(data.train.size, data.valid.size, data.class_names, data.record["split"])
    network.compile(loss=nas.losses.crossentropy(), metrics=["accuracy"])
    network.evaluate(data.batches("test"), verbose=0)
  """

  train: Images | Stream
  valid: Images | Stream
  test: Images | Stream | None
  class_names: tuple[str, ...]
  mean: np.ndarray
  std: np.ndarray
  record: dict
  preparation: "preparation.Preparation | None" = None
  made_by: dict | None = None

  def batches(
      self, split: str = "train", batch_size: int = 256, seed: int = 0
  ) -> "tf.data.Dataset":
    """Batches of one part for any Keras model: `model.fit(data.batches("train", 64))`.

    Images are normalised, not augmented. Training images come in another order at each iteration,
    those of the other parts in a fixed one.

    Args:
      split: `train`, `valid` or `test`.
      batch_size: int >= 1.
      seed: int in [0, 2**32), of the order of the training images.

    Returns:
      tf.data.Dataset of (image float32 [<= batch_size, height, width, 3], label int32
      [<= batch_size]).

    Raises:
      InputError: There is no such part, or a number is out of range.

    Example:
      for images, labels in data.batches("test", 64):
        print(images.shape, labels.shape)
    """
    from tfdynnas.data import batches

    parts = {"train": self.train, "valid": self.valid, "test": self.test}
    if parts.get(split) is None:
      there = ", ".join(name for name, part in parts.items() if part is not None)
      raise errors.InputError(f"`split` must be one of {there}. Received: {split!r}")
    own = seed if split == "train" else None
    return batches.normalised(parts[split], self.mean, self.std, batch_size, own)


def assemble(parts, class_names, record, constants=None, preparation=None):
  """Makes a Data from its parts: measures the constants, records sizes and fingerprint.

  Args:
    parts: (train, valid, test); test may be None.
    class_names: Sequence of str.
    record: Dict with at least source, split and seed; it is copied.
    constants: (mean, std), three numbers each in pixel units, or None to measure them.
    preparation: Preparation, or None.

  Returns:
    Data.

  Raises:
    InputError: The name of a class cannot be written everywhere.
  """
  names_lib.check(class_names, str(record["source"]))
  mean, std = constants or measure(parts[0])
  mean, std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
  sizes = [part.size if part else 0 for part in parts]
  record = dict(
      record,
      sizes=dict(zip(("train", "valid", "test"), sizes)),
      image_shape=list(parts[0].image_shape),
      classes=len(class_names),
      streamed=isinstance(parts[0], Stream),
      fingerprint=fingerprint(parts),
      mean=[float(value) for value in mean],
      std=[float(value) for value in std],
  )
  if preparation:
    record["preparation"] = preparation.as_dict()
  return Data(*parts, tuple(class_names), mean, std, record, preparation)


def measure(part):
  """Mean and standard deviation of each colour over at most 10 000 images of a part.

  These are evenly spaced images of a held part, the first of a shuffled epoch of a stream: sources
  are often sorted by class, so their first images would not be typical.

  Args:
    part: Images or Stream.

  Returns:
    (mean, std): float64 [3] each, in pixel units; std is 1 where a colour is constant.
  """
  count = min(part.size, MEASURED)
  if isinstance(part, Images):
    picked = np.linspace(0, part.size - 1, count).astype(np.int64)
    batches = (part.images[picked[start:start + 500]] for start in range(0, count, 500))
  else:
    stream = part.shuffled(0, count, 0, 1).batch(100)
    batches = (images.numpy() for _, images, _ in stream)
  total, squares, pixels = np.zeros(3), np.zeros(3), 0
  with part.reading():
    for images in batches:
      values = images.reshape(-1, 3).astype(np.float64)
      total, squares = total + values.sum(0), squares + (values**2).sum(0)
      pixels += len(values)
  mean = total / pixels
  std = np.sqrt(np.maximum(squares / pixels - mean**2, 0))
  return mean, np.where(std > 0, std, 1.0)


def fingerprint(parts):
  """SHA-256 of the parts: of pixels and labels if held, of names and sizes if streamed.

  Args:
    parts: Images, Streams or None.

  Returns:
    str, 64 hex digits.
  """
  digest = hashlib.sha256()
  for part in parts:
    if part is None:
      digest.update(b"none")
    elif isinstance(part, Images):
      digest.update(repr(part.images.shape).encode())
      digest.update(np.ascontiguousarray(part.images))
      digest.update(np.ascontiguousarray(part.labels))
    else:
      digest.update(f"{part.size} {part.image_shape} {part.identity}".encode())
  return digest.hexdigest()
