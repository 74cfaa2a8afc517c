"""Images from one packed file, without TensorFlow: numpy reads it, Pillow decodes it.

For the same arguments a packed file gives the parts of the source that it was packed from, image by
image. They are the same pixels, and the record has the same fingerprint, where the source holds
PNG, BMP or GIF at its own size; see `pixels` for JPEG. A resize may round a pixel otherwise.
"""

import dataclasses
import os

import numpy as np

from tfdynnas import errors
from tfdynnas.data import embedded
from tfdynnas.data import packed_file
from tfdynnas.data import pixels
from tfdynnas.data import prepared
from tfdynnas.data import resize
from tfdynnas.data import sets
from tfdynnas.data import split


def from_packed(
    path, image_size=None, downsample=1, valid_share=0.5, classes=None, seed=0, split_file=None,
    held_bytes=sets.HELD_BYTES,
):
  """Loads a file of tools/pack.py; the images are decoded and held in memory.

  Args:
    path: The file.
    image_size: Height and width to resize to, an int or a pair; None keeps the images' size.
    downsample: Packed tfds sets: side of the blocks whose mean becomes a pixel.
    valid_share: Packed tfds sets: share in (0, 1) of the training split for validation.
    classes: Packed tfds sets: keep only the labels below this number; None keeps all.
    seed: int in [0, 2**32), of the split.
    split_file: Packed CIFAR-10: the literature's fixed split, instead of `seed`.
    held_bytes: Most bytes of pixels.

  Returns:
    Data, held; its record also has the name of the `dataset` that was packed, "" of a folder.

  Raises:
    InputError: The file, one of its images or an argument cannot be used, or it is too large.
  """
  path = os.fspath(path)
  record, parts = packed_file.load(path)
  cut = _cut_tfds if record["kind"] == "tfds" else _cut_other
  places, names, described = cut(
      path, record, parts, downsample, valid_share, classes, seed, split_file
  )
  size, shape = _sizes(path, record, image_size, downsample)
  _check_total(path, places, shape, held_bytes)
  reader = _Reader(path, record, parts, size, downsample, shape)
  held = [reader.held(packed_file.PARTS[part], chosen) for part, chosen in places]
  held += [None] * (3 - len(held))
  described = {**described, "dataset": record["dataset"]}
  return sets.assemble(held, names, described, prepared.constants(record["name"]))


def _sizes(path, record, image_size, downsample):
  """((height, width) of the images before the block mean, shape of what comes out)."""
  size = resize.size_pair(image_size) or record["size"]
  if size is None:
    raise errors.InputError(f"Images of several sizes need `image_size`. Received: {path}")
  resize.check_downsample(size, downsample)
  return tuple(size), (size[0] // downsample, size[1] // downsample, 3)


def _cut_tfds(path, record, parts, downsample, valid_share, classes, seed, split_file):
  """(places of each part as of split.of_parts, class names, record) of a tfds set."""
  del path
  prepared.check_split_file(split_file, record["name"])
  names, train = prepared.kept_classes(record["class_names"], classes), parts["train"]
  if split_file is not None:
    ids = [] if train.ids is None else [name.decode() for name in train.ids]
    halves, how = split.literature(split_file, ids, train.labels), prepared.LITERATURE
  else:
    kept = np.flatnonzero(train.labels < len(names))
    halves = [kept[half] for half in split.seeded(len(kept), valid_share, seed)]
    how = prepared.SEEDED
  places = [(0, half) for half in halves]
  if "test" in parts:
    places.append((2, np.flatnonzero(parts["test"].labels < len(names))))
  described = prepared.describe(
      record["name"], how, seed, valid_share, record["test_split"], downsample
  )
  return places, names, described


def _cut_other(path, record, parts, downsample, valid_share, classes, seed, split_file):
  """The same of a folder or the digits."""
  del valid_share  # Has no say there.
  prepared.check_no_tfds(path, downsample, classes, split_file)
  labels = [parts[name].labels if name in parts else None for name in packed_file.PARTS]
  places, how = split.of_parts(labels, seed)
  described = {"source": record["name"], "split": how, "seed": seed, **record["more"]}
  return places, record["class_names"], described


def _check_total(path, places, shape, held_bytes):
  """Streams are TensorFlow's: what cannot be held is refused."""
  total = sum(len(chosen) for _, chosen in places) * int(np.prod(shape))
  if total > held_bytes:
    raise errors.InputError(
        f"The images of a packed file must come to at most {held_bytes:,} bytes of pixels; a "
        f"smaller `image_size` makes them fewer. Received: {path} with {total:,}"
    )


@dataclasses.dataclass(frozen=True)
class _Reader:
  """A packed file and the size its images are to have."""

  path: str
  record: dict
  parts: dict
  size: tuple[int, int]
  downsample: int
  shape: tuple[int, int, int]

  def held(self, name, places):
    """Images at the places of a part, in that order."""
    part = self.parts[name]
    images = np.empty((len(places), *self.shape), np.uint8)
    for row, place in enumerate(places):
      try:
        images[row] = self._fitted(pixels.decoded(part.encoded[place]))
      except errors.InputError:  # Not of this image: of what was asked for, or of Pillow.
        raise
      except ValueError as error:
        raise errors.InputError(
            f"Every image of {self.path} must be readable. "
            f"Received: {name} image {place}: {error}"
        ) from error
    return sets.Images(images, part.labels[places])

  def _fitted(self, image):
    own = self.record["size"]
    if own and image.shape[:2] != tuple(own):
      raise ValueError(f"{image.shape[0]}x{image.shape[1]}, not {own[0]}x{own[1]}")
    if self.record["kind"] == "digits":
      times = embedded.repeats(self.size[0])
      return image.repeat(times, axis=0).repeat(times, axis=1)
    return pixels.fitted(image, self.size, self.downsample)
