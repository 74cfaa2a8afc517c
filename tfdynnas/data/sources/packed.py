"""Images from a packed file, without TensorFlow: numpy reads it, Pillow decodes it.

With the same arguments, a packed file gives the same parts as its source, image by image. Pixels
and fingerprint are equal too if the source holds PNG, BMP or GIF at its own size; see `pixels` for
JPEG. A resize may round a pixel differently.
"""

import dataclasses
import os

import numpy as np

from tfdynnas import errors
from tfdynnas import made_by
from tfdynnas.data import dataset
from tfdynnas.data import split
from tfdynnas.data.formats import packed_file
from tfdynnas.data.images import pixels
from tfdynnas.data.images import preparation as preparation_lib
from tfdynnas.data.sources import digits
from tfdynnas.data.sources import tfds


@made_by.recorded("data_file")
def from_packed(
    path: str | os.PathLike, image_size: int | tuple[int, int] | None = None, downsample: int = 1,
    valid_share: float | None = None, classes: int | None = None, seed: int = 0,
    split_file: str | os.PathLike | None = None, held_bytes: int = dataset.HELD_BYTES,
    test_share: float | None = None, **preparing,
) -> dataset.Data:
  """Loads a file of tools/pack.py; the images are decoded and held in memory.

  Args:
    path: The file.
    image_size: Height and width to resize to, an int or a pair; None keeps the images' size.
    downsample: Packed tfds sets: side of the blocks whose mean becomes a pixel.
    valid_share: Share in (0, 1) for validation; None: the source's default.
    classes: Packed tfds sets: keep only the labels below this number; None keeps all.
    seed: int in [0, 2**32), of the split.
    split_file: Packed CIFAR-10: the published fixed split, instead of `seed`.
    held_bytes: Most bytes of pixels.
    test_share: Share in (0, 1) for the test, if the source has none; None: the source's default.
    **preparing: resize, orientation, background, max_pixels: see `preparation.Preparation`.

  Returns:
    Data, held; its record also has the name of the packed `dataset`, "" for a folder.

  Raises:
    InputError: The file, one of its images or an argument cannot be used, or it is too large.

  Example:
    nas.data.pack("digits.npz", dataset="digits")
    data = nas.data.from_packed("digits.npz")
  """
  record, parts = packed_file.load(path := os.fspath(path))
  cut = _cut_tfds if record["kind"] == "tfds" else _cut_other
  shares = {"valid_share": valid_share, "test_share": test_share}
  places, names, described = cut(path, record, parts, downsample, classes, seed, split_file, shares)
  preparation = _preparation(path, record, image_size, downsample, preparing)
  _check_total(path, places, preparation.image_shape, held_bytes)
  held = _held(_Reader(path, record, parts, preparation), places)
  described = {**described, "dataset": record["dataset"]}
  return dataset.assemble(held, names, described, tfds.constants(record["name"]), preparation)


def _held(reader, places):
  """The three parts, Images or None."""
  held = [reader.held(packed_file.PARTS[part], chosen) for part, chosen in places]
  return held + [None] * (3 - len(held))


def _preparation(path, record, image_size, downsample, preparing):
  """The Preparation of the images."""
  if record["kind"] == "digits":
    return digits.preparation(image_size or record["size"][0])
  found = preparation_lib.Preparation(size=image_size, downsample=downsample, **preparing)
  if found.size is None and record["size"] is None:
    raise errors.InputError(f"Images of several sizes need `image_size`. Received: {path}")
  return found.of_size(record["size"])


def _cut_tfds(path, record, parts, downsample, classes, seed, split_file, shares):
  """(places of each part, see split.of_parts; class names; record) of a tfds set."""
  del path
  tfds.check_split_file(split_file, record["name"])
  names, train = tfds.kept_classes(record["class_names"], classes), parts["train"]
  tfds.check_shares(record["name"], split_file, record["test_split"], **shares)
  if split_file is not None:
    ids = [] if train.ids is None else [name.decode() for name in train.ids]
    cut, how = split.literature(split_file, ids, train.labels), tfds.LITERATURE
  else:
    kept = np.flatnonzero(train.labels < len(names))
    cut = [kept[own] for own in split.seeded(len(kept), seed, **shares)]
    how = tfds.SEEDED
  places = [(0, own) for own in cut]
  if "test" in parts:
    places.append((2, np.flatnonzero(parts["test"].labels < len(names))))
  described = tfds.describe(
      record["name"], how, seed, shares, record["test_split"], downsample
  )
  return places, names, {**described, **record.get("more", {})}  # Older files lack it.


def _cut_other(path, record, parts, downsample, classes, seed, split_file, shares):
  """(places of each part, class names, record) of a folder or the digits."""
  tfds.check_no_tfds(path, downsample, classes, split_file)
  labels = [parts[name].labels if name in parts else None for name in packed_file.PARTS]
  places, how = split.of_parts(labels, seed, **shares)
  described = {"source": record["name"], "split": how, "seed": seed, **record["more"]}
  return places, record["class_names"], described


def _check_total(path, places, shape, held_bytes):
  """Refuses a set too large to hold, since streams need TensorFlow."""
  total = sum(len(chosen) for _, chosen in places) * int(np.prod(shape))
  if total > held_bytes:
    raise errors.InputError(
        f"The images of a packed file must come to at most {held_bytes:,} bytes of pixels; a "
        f"smaller `image_size` makes them fewer. Received: {path} with {total:,}"
    )


@dataclasses.dataclass(frozen=True)
class _Reader:
  """A packed file, and how to prepare its images."""

  path: str
  record: dict
  parts: dict
  preparation: preparation_lib.Preparation

  def held(self, name, places):
    """Images at places of a part, in the order of the places."""
    part = self.parts[name]
    images = np.empty((len(places), *self.preparation.image_shape), np.uint8)
    for row, place in enumerate(places):
      try:
        images[row] = self._prepared(part.encoded[place])
      except errors.InputError:  # About the arguments or Pillow, not about this image.
        raise
      except ValueError as error:
        raise errors.InputError(
            f"Every image of {self.path} must be readable. "
            f"Received: {name} image {place}: {error}"
        ) from error
    return dataset.Images(
        images, part.labels[places], lambda chosen: [part.encoded[places[row]] for row in chosen]
    )

  def _prepared(self, content):
    image, own = pixels.decoded(content, self.preparation), self.record["size"]
    if own and sorted(image.shape[:2]) != sorted(own):
      raise ValueError(f"{image.shape[0]}x{image.shape[1]}, not {own[0]}x{own[1]}")
    return pixels.fitted(image, self.preparation)
