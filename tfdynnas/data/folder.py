"""Image folders: one folder per class, with or without folders for training and test above."""

import contextlib
import dataclasses
import os

import numpy as np

from tfdynnas import errors
from tfdynnas.data import crop as crop_lib
from tfdynnas.data import header
from tfdynnas.data import read
from tfdynnas.data import resize
from tfdynnas.data import sets
from tfdynnas.data import split

_PIXELS = 2**29 // 3  # Of three colours, more are decoded neither by TensorFlow nor by Pillow.
EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
_TRAIN = ("train", "training")
_VALID = ("valid", "val", "validation")
_TEST = ("test",)


@dataclasses.dataclass(frozen=True)
class Files:
  """Image files and their labels; `skipped` counts the files that were passed over."""

  paths: list[str]
  labels: np.ndarray
  skipped: dict[str, int]


def from_folder(path, image_size=None, seed=0, held_bytes=sets.HELD_BYTES, crop="whole"):
  """Loads a folder of images, `path/CLASS/*.jpg` or `path/train/CLASS/*.jpg`.

  Extensions: jpg, jpeg, png, bmp, gif (first frame), in any case; what else lies there is counted
  in `record["skipped"]`. Without a folder `train`, everything is split 50/30/20 within each class.
  With it, its images train and those of `valid`, `val` or `validation` validate, those of `test`
  test. One of the two alone is the test: the training images are then split 60/40 for validation.

  Args:
    path: The folder.
    image_size: Height and width to resize to, an int or a pair; None if all have one size.
    seed: int in [0, 2**32), of the split.
    held_bytes: A set with more bytes of pixels than this is streamed.
    crop: "whole" images are resized; "resized" ones are cropped at random, see `crop`, and always
      streamed.

  Returns:
    Data; the classes are in the order of their names.

  Raises:
    InputError: The folder or one of its images cannot be used.
  """
  path = os.fspath(path)
  crop_lib.check(crop, image_size)
  names, listed, skipped = list_parts(path)
  paths = [file for files in listed if files for file in files.paths]
  size, total = _check_headers(paths, resize.size_pair(image_size))
  shape = (*size, 3)
  held = crop == "whole" and total * int(np.prod(shape)) <= held_bytes
  files, how = _split(listed, seed)
  record = {
      "source": f"folder {os.path.abspath(path)}", "split": how, "seed": seed, "skipped": skipped,
      **crop_lib.record(crop),
  }
  with _naming_broken(paths):
    parts = tuple(part and _part(part, path, shape, held, crop) for part in files)
    return sets.assemble(parts, names, record, crop_lib.constants(crop, names))


def list_parts(path):
  """Lists the images of a folder.

  Args:
    path: The folder.

  Returns:
    (names, parts, skipped): the classes; (train, valid, test) Files, None where there is no such
    folder; dict, extension -> how many files were passed over.

  Raises:
    InputError: The folder cannot be used.
  """
  folders = _part_folders(path)
  names = _class_names(folders[0])
  listed = [folder and _list_files(folder, names) for folder in folders]
  skipped = {}
  for found in listed:
    for kind, count in (found.skipped if found else {}).items():
      skipped[kind] = skipped.get(kind, 0) + count
  return names, listed, skipped


def _part_folders(path):
  """Folders of the training, validation and test images; None where there is no such folder."""
  if not os.path.isdir(path):
    raise errors.InputError(f"`image_dir` must be a folder that exists. Received: {path}")
  found = {name.lower(): os.path.join(path, name) for name in _subfolders(path)}
  train, valid, test = (
      next((found[name] for name in names if name in found), None)
      for names in (_TRAIN, _VALID, _TEST)
  )
  if train is None:
    return path, None, None
  return (train, valid, test) if test else (train, None, valid)


def _subfolders(path):
  return sorted(
      entry.name for entry in os.scandir(path) if entry.is_dir() and entry.name[0] not in "._"
  )


def _class_names(path):
  names = _subfolders(path)
  if len(names) < 2:
    raise errors.InputError(
        "An image folder needs two or more class folders, CLASS/*.jpg. "
        f"Received: {path} with {', '.join(names) or 'none'}"
    )
  return names


def _list_files(path, names):
  """Lists the images of each class; other classes than those of the training are refused."""
  unknown = sorted(set(_subfolders(path)) - set(names))
  if unknown:
    raise errors.InputError(
        f"Every part needs the training images' classes. Received: {path} with {unknown[0]}"
    )
  paths, labels, skipped = [], [], {}
  for label, name in enumerate(names):
    before = len(paths)
    folder = os.path.join(path, name)
    for directory, inner, files in sorted(os.walk(folder)) if os.path.isdir(folder) else ():
      for file in sorted(files):
        extension = os.path.splitext(file)[1].lower()
        if extension in EXTENSIONS and not file.startswith("."):
          paths.append(os.path.join(directory, file))
          read.check_name(paths[-1])
          labels.append(label)
        else:
          skipped[extension or file] = skipped.get(extension or file, 0) + 1
    if len(paths) == before:
      raise errors.InputError(
          f"Every class needs images ({', '.join(EXTENSIONS)}). Received: {folder} without"
      )
  return Files(paths, np.array(labels, np.int32), skipped)


def _check_headers(paths, size):
  """Size of the images, all of whose headers are read: ((height, width), how many)."""
  first = None
  for path in paths:
    found = header_size(path)
    first = first or (found, path)
    if size is None and found != first[0]:
      raise errors.InputError(
          "Images of several sizes need `image_size`. Received: "
          f"{first[0][0]}x{first[0][1]} in {first[1]}, {found[0]}x{found[1]} in {path}"
      )
  return size or first[0], len(paths)


def header_size(path):
  """(height, width) that the header of an image file says.

  Raises:
    InputError: It is no image, cannot be read, or is too large to be decoded.
  """
  try:
    found = header.image_size(path)
  except OSError as error:
    raise errors.InputError(f"Every image must be readable. Received: {error}") from None
  if found is None:
    raise errors.InputError(
        f"Every image must be a readable JPEG, PNG, GIF or BMP file. Received: {path}"
    )
  if found[0] * found[1] > _PIXELS:
    raise errors.InputError(
        f"Every image must have at most {_PIXELS:,} pixels. "
        f"Received: {found[0]}x{found[1]} in {path}"
    )
  return found


def _split(listed, seed):
  """((train, valid, test) files, how they came about)."""
  places, how = split.of_parts([files and files.labels for files in listed], seed)
  parts = []
  for part, chosen in places:
    files = listed[part]
    parts.append(Files([files.paths[place] for place in chosen], files.labels[chosen], {}))
  return tuple(parts), how


def _part(files, root, shape, held, crop):
  """Images or Stream of a list of files."""
  import tensorflow as tf

  paths, labels = tf.constant(files.paths), tf.constant(files.labels)

  def decode(index, key):
    content = tf.io.read_file(paths[index])
    return crop_lib.decoded(content, shape[:2], crop, key), labels[index]

  names = [f"{os.path.relpath(path, root)} {os.path.getsize(path)}" for path in files.paths]
  identity = "\n".join([*names, str(shape), *crop_lib.record(crop)])
  stream = read.indexed_stream(len(names), shape, decode, identity, crop == "resized")
  if not held:
    return stream
  images = stream.ordered().map(lambda _, image, label: (image, label))
  return read.hold(images, len(names), shape)


@contextlib.contextmanager
def _naming_broken(paths):
  """Says which file cannot be decoded, and why, if one cannot."""
  import tensorflow as tf

  try:
    yield
  except tf.errors.InvalidArgumentError:
    found = read.first_broken(tf.data.Dataset.from_tensor_slices(paths).map(tf.io.read_file))
    received = f"{paths[found[0]]}: {found[1]}" if found else "one that changed while it was read"
    raise errors.InputError(f"Every image must be readable. Received: {received}") from None
