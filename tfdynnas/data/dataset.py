"""What every source of images comes down to: three parts, their names, constants and record."""

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
MEASURED = 10_000  # Images that mean and std are measured on, at most.


@dataclasses.dataclass(frozen=True)
class Images:
  """A small set, held in memory.

  Attributes:
    images: uint8 [n, height, width, 3].
    labels: int32 [n].
    encoded: Sequence of positions -> list of bytes, the images there as they are encoded; None
      where there are no such.

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
    """Context in which it is read, as of a Stream: of what is held, nothing can break."""
    return contextlib.nullcontext()


@dataclasses.dataclass(frozen=True)
class Stream:
  """A large set, decoded as it is read. Both functions make datasets of single images.

  Attributes:
    ordered: () -> tf.data.Dataset of (index, image, label), once through in a fixed order: int32,
      uint8 [height, width, 3], int32; `index` is the image's position in the fixed order.
    shuffled: (seed, batch, first_step, last_step, shard=(0, 1), crop=False) -> the same, images of
      the training steps from `first_step` to before `last_step`: of each batch the share of worker
      `shard` = (index, count). The order is a pure function of (seed, epoch); every epoch fills up
      its last batch from its own start. With `crop`, images are cut at random if the stream is
      `cropped`, a pure function of (seed, step, index); without, as they are scored.
    size: Number of images.
    image_shape: (height, width, 3).
    identity: Hex digest of the names and sizes of what is read.
    cropped: Whether its training images are random crops.
    labels: int32 [size], in the fixed order; None if they are not known without reading it.
    digests: () -> list of hex digests [size] of what is decoded; None if that is too much to read.
    encoded: As of Images.
    check: () -> None; reads all of its source, and raises an InputError of what cannot be read.

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
    """Context in which its datasets are read, so that an InputError names what cannot be."""
    return broken.named(self.check)


@dataclasses.dataclass(frozen=True)
class Data:
  """The parts of a data set and what is known about it.

  Attributes:
    train: What weights are trained on.
    valid: What architectures are compared on.
    test: What the final number is measured on; None if the source has nothing for it.
    class_names: One name per label.
    mean: float32 [3], in pixel units 0..255.
    std: float32 [3], in pixel units 0..255.
    record: JSON-able dict for the run directory; a resume compares it: source, split, seed,
      sizes, image_shape, fingerprint, mean, std and what else the source has to say.
    preparation: preparation.Preparation, how its encoded images became pixels; None of pixels that
      were given as such.
    made_by: dict, arguments of `data.load` that load it again; None if there are no such.

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

    Images are normalised, and not augmented. Training images come in another order at each
    reading, those of the other parts in a fixed one.

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
  """Completes a Data from its parts: measures the constants, writes sizes and fingerprint.

  Args:
    parts: (train, valid, test); test may be None.
    class_names: Sequence of str.
    record: Dict with at least source, split and seed; it is copied.
    constants: (mean, std), three numbers each in pixel units, or None to measure them.
    preparation: Preparation, or None.

  Returns:
    Data.

  Raises:
    InputError: The name of a class cannot be written down.
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

  Held sets give evenly spaced images, streams the first of a shuffled epoch: sources are often
  sorted by class, so the first ones would not be typical.

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
  """SHA-256 of what the parts are: pixels and labels if held, names and sizes if streamed.

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
