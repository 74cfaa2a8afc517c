"""Image folders: one folder per class, with or without folders for training and test above."""

import dataclasses
import os
import pathlib

import numpy as np

from tfdynnas import errors
from tfdynnas import made_by
from tfdynnas.data import broken
from tfdynnas.data import dataset
from tfdynnas.data import split
from tfdynnas.data import streams
from tfdynnas.data.images import crop as crop_lib
from tfdynnas.data.images import extensions
from tfdynnas.data.images import header
from tfdynnas.data.images import preparation as preparation_lib
from tfdynnas.data.sources import listing


@made_by.recorded("image_dir")
def from_folder(
    path: str | os.PathLike, image_size: int | tuple[int, int] | None = None, seed: int = 0,
    held_bytes: int = dataset.HELD_BYTES, crop: str = "whole", valid_share: float | None = None,
    test_share: float | None = None, look: bool = False, **preparing,
) -> dataset.Data:
  """Loads a folder of images, `path/CLASS/*.jpg` or `path/train/CLASS/*.jpg`.

  Without a folder `train`, everything is split 50/30/20 within each class. With it, its images
  train and those of `valid`, `val` or `validation` validate, those of `test` test. One of the two
  alone is the test: the training images are then split 60/40 for validation. A class of few images
  may miss in a part; one always trains. `record["skipped"]` counts what else lies there.

  Args:
    path: The folder.
    image_size: Height and width to resize to, an int or a pair; None if all have one size.
    seed: int in [0, 2**32), of the split.
    held_bytes, look: Sets of more pixels are streamed; whether those to score on are decoded now.
    crop: "whole" images are resized; "resized" ones cropped, see `crop`, and always streamed.
    valid_share, test_share: Shares in (0, 1) of the images to split, in place of these.
    **preparing: resize, orientation, background, max_pixels: see `preparation.Preparation`.

  Returns:
    Data; the classes are in the order of their names.

  Raises:
    InputError: The folder or one of its images cannot be used.

  Example:
    data = nas.data.from_folder("photos", image_size=16)
  """
  preparation = preparation_lib.Preparation(size=image_size, crop=crop, **preparing)
  names, listed, skipped = listing.list_parts(path := os.fspath(path))
  preparation, held = _sized(listed, preparation, held_bytes)
  files, how = _split(listed, seed, valid_share, test_share)
  record = {"source": f"folder {os.path.abspath(path)}", "split": how, "seed": seed}
  record |= {"skipped": skipped, **crop_lib.record(crop)}
  parts = tuple(part and _part(part, path, preparation, held) for part in files)
  streams.look_at(parts[1:] if look else ())
  return dataset.assemble(parts, names, record, crop_lib.constants(crop, names), preparation)


def _sized(listed, preparation, held_bytes):
  """(the preparation, with the size of the images; whether all of them are held)."""
  paths = [file for files in listed if files for file in files.paths]
  preparation = preparation.of_size(_check_headers(paths, preparation))
  total = len(paths) * np.prod(preparation.image_shape)
  return preparation, preparation.crop == "whole" and total <= held_bytes


def _check_headers(paths, preparation):
  """(height, width) that the images come to; all of their headers are read."""
  first, size = None, preparation.size
  for path in paths:
    found = header_size(path, preparation.max_pixels, preparation.orientation == "exif")
    first = first or (found, path)
    if size is None and found != first[0]:
      raise errors.InputError(
          "Images of several sizes need `image_size`. Received: "
          f"{first[0][0]}x{first[0][1]} in {first[1]}, {found[0]}x{found[1]} in {path}"
      )
  return size or first[0]


def header_size(path, max_pixels=preparation_lib.MOST_PIXELS, turned=False):
  """(height, width) that the header of an image file says.

  Args:
    path: The file.
    max_pixels: int, the most that it may have.
    turned: Whether EXIF turns it.

  Raises:
    InputError: It is no image, cannot be read, or is too large to be decoded.
  """
  try:
    found = header.displayed_size(path) if turned else header.image_size(path)
  except OSError as error:
    raise errors.InputError(f"Every image must be readable. Received: {error}") from None
  if found is None:
    raise errors.InputError(
        f"Every image must be a readable {extensions.LISTED} file. Received: {path}"
    )
  if found[0] * found[1] > max_pixels:
    raise errors.InputError(
        f"Every image must have at most `max_pixels`, {max_pixels:,} pixels. "
        f"Received: {found[0]}x{found[1]} in {path}"
    )
  return found


def _split(listed, seed, *shares):
  """((train, valid, test) files, how they came about)."""
  places, how = split.of_parts([files and files.labels for files in listed], seed, *shares)
  parts = []
  for part, chosen in places:
    files = listed[part]
    parts.append(listing.Files([files.paths[place] for place in chosen], files.labels[chosen], {}))
  return tuple(parts), how


def _part(files, root, preparation, held):
  """Images or Stream of a list of files."""
  import tensorflow as tf

  paths, labels = tf.constant(files.paths), tf.constant(files.labels)

  def decode(index, key):
    content = tf.io.read_file(paths[index])
    return preparation_lib.pixels(content, preparation, key), labels[index]

  def encoded(places):
    return [pathlib.Path(files.paths[place]).read_bytes() for place in places]

  names = [f"{os.path.relpath(path, root)} {os.path.getsize(path)}" for path in files.paths]
  shape = preparation.image_shape
  identity = "\n".join([*names, str(shape), *preparation.identity()])
  stream = streams.indexed_stream(
      len(names), shape, decode, identity, preparation.crop == "resized", encoded
  )
  stream = dataclasses.replace(stream, check=lambda: _check(files.paths, preparation))
  if not held:
    digests = lambda: _digests(files.paths)
    return dataclasses.replace(stream, labels=files.labels, digests=digests)
  images = stream.ordered().map(lambda _, image, label: (image, label))
  with stream.reading():
    return streams.hold(images, len(names), shape, encoded)


def _digests(paths):
  """A digest of each file; None if they are too many bytes to be read for that."""
  if sum(os.path.getsize(path) for path in paths) > dataset.HELD_BYTES:
    return None
  return [streams.digest(pathlib.Path(path).read_bytes()) for path in paths]


def _check(paths, preparation):
  """Raises InputError of the first file that cannot be decoded."""
  import tensorflow as tf

  contents = tf.data.Dataset.from_tensor_slices(paths).map(tf.io.read_file)
  found = broken.first(contents, preparation)
  if found:
    raise errors.InputError(
        f"Every image must be readable. Received: {paths[found[0]]}: {found[1]}"
    )
