"""Image folders: one folder per class, in folders such as `train` and `test` or not."""

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

  Without a folder `train`, all images are split 50/30/20 within each class. With it, `valid` (or
  `val`, `validation`) and `test` are the other parts. One of these alone is the test: the training
  images are then split 60/40 for validation. A small class may be missing in a part, never in
  training. `record["skipped"]` counts ignored files and folders.

  Args:
    path: The folder.
    image_size: Height and width to resize to, an int or a pair; None if all have one size.
    seed: int in [0, 2**32), of the split.
    held_bytes, look: Most bytes of pixels to hold, else streamed; whether to decode scored images.
    crop: "whole" images are resized; "resized" ones are cropped, see `crop`, and always streamed.
    valid_share, test_share: Shares in (0, 1) of the images to split, instead of the above.
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
  parts = (_held if held else _streamed)(files, path, preparation)
  streams.look_at(parts[1:] if look else ())
  return dataset.assemble(parts, names, record, crop_lib.constants(crop, names), preparation)


def _sized(listed, preparation, held_bytes):
  """(preparation with the size of the images, whether all of them are held)."""
  paths = [file for files in listed if files for file in files.paths]
  preparation = preparation.of_size(_check_headers(paths, preparation))
  total = len(paths) * np.prod(preparation.image_shape)
  return preparation, preparation.crop == "whole" and total <= held_bytes


def _check_headers(paths, preparation):
  """The final (height, width) of the images; all headers are read."""
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
  """The (height, width) in the header of an image file.

  Args:
    path: The file.
    max_pixels: int, the most pixels that it may have.
    turned: Whether EXIF turns it.

  Raises:
    InputError: It is no image, cannot be read, or has too many pixels.
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
  """((train, valid, test) files, how they were split)."""
  places, how = split.of_parts([files and files.labels for files in listed], seed, *shares)
  parts = []
  for part, chosen in places:
    files = listed[part]
    parts.append(listing.Files([files.paths[place] for place in chosen], files.labels[chosen], {}))
  return tuple(parts), how


def _held(parts, root, preparation):
  """Images of each part, None for a missing one; all are read in one pass."""
  lengths = [len(part.paths) if part else 0 for part in parts]
  there = [part for part in parts if part]
  every = listing.Files(
      [path for part in there for path in part.paths],
      np.concatenate([part.labels for part in there]), {}
  )
  stream = _stream(every, root, preparation)
  images = stream.ordered().map(lambda _, image, label: (image, label))
  places = np.split(np.arange(stream.size), np.cumsum(lengths)[:-1])
  with stream.reading():
    found = streams.hold_parts(images, places, stream.image_shape)
  return tuple(
      part and dataclasses.replace(one, encoded=_encoded(part.paths))
      for part, one in zip(parts, found)
  )


def _streamed(parts, root, preparation):
  """Stream of each part, None for a missing one."""
  return tuple(part and _stream(part, root, preparation) for part in parts)


def _stream(files, root, preparation):
  """Stream of a list of files."""
  import tensorflow as tf

  paths, labels = tf.constant(files.paths), tf.constant(files.labels)

  def decode(index, key):
    content = tf.io.read_file(paths[index])
    return preparation_lib.pixels(content, preparation, key), labels[index]

  names = [f"{os.path.relpath(path, root)} {os.path.getsize(path)}" for path in files.paths]
  shape = preparation.image_shape
  identity = "\n".join([*names, str(shape), *preparation.identity()])
  stream = streams.indexed_stream(
      len(names), shape, decode, identity, preparation.crop == "resized", _encoded(files.paths)
  )
  return dataclasses.replace(
      stream, labels=files.labels, check=lambda: _check(files.paths, preparation),
      digests=lambda: _digests(files.paths),
  )


def _encoded(paths):
  """The `encoded` of a part: its files, read on demand."""
  return lambda places: [pathlib.Path(paths[place]).read_bytes() for place in places]


def _digests(paths):
  """A digest of each file; None if they have too many bytes to read for that."""
  if sum(os.path.getsize(path) for path in paths) > dataset.HELD_BYTES:
    return None
  return [streams.digest(pathlib.Path(path).read_bytes()) for path in paths]


def _check(paths, preparation):
  """Raises InputError that names the first file that cannot be decoded."""
  import tensorflow as tf

  contents = tf.data.Dataset.from_tensor_slices(paths).map(tf.io.read_file)
  found = broken.first(contents, preparation)
  if found:
    raise errors.InputError(
        f"Every image must be readable. Received: {paths[found[0]]}: {found[1]}"
    )
