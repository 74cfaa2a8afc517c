"""Lists the images of a folder: which folders are parts, which are classes, what is ignored."""

import dataclasses
import os
import unicodedata

import numpy as np

from tfdynnas import errors
from tfdynnas.data import class_names as names_lib
from tfdynnas.data import streams
from tfdynnas.data.images import extensions

# Folders that systems and programs leave among images, beside those that begin with a dot.
RESERVED = frozenset((
    "@eadir", "@recycle", "#recycle", "$recycle.bin", "__macosx", "__pycache__", "lost+found",
    "system volume information",
))
# What else is ignored; files of other extensions are counted by extension.
STRAY = "images outside of class folders"
HIDDEN = "files that begin with a dot"
BARE = "files without an extension"
_PARTS = {"train": 0, "training": 0, "valid": 1, "val": 1, "validation": 1, "test": 2}


@dataclasses.dataclass(frozen=True)
class Files:
  """Image files and their labels; `skipped` counts ignored files and folders."""

  paths: list[str]
  labels: np.ndarray
  skipped: dict[str, int]


def list_parts(path):
  """Lists the images of a folder.

  Args:
    path: The folder.

  Returns:
    (names, parts, skipped): the classes; (train, valid, test) Files, None for a missing folder;
    dict of ignored things -> their number: an extension of files, a folder's name with a slash,
    STRAY, HIDDEN, BARE.

  Raises:
    InputError: The folder cannot be used.
  """
  folders, skipped = _part_folders(path)
  names = sorted(_classes(folders[0]))
  names_lib.check(names, folders[0])
  if len(names) < 2:
    raise errors.InputError(
        "An image folder needs two or more class folders, CLASS/*.jpg. "
        f"Received: {folders[0]} with {', '.join(names) or 'none'}"
    )
  listed = [folder and _list_files(folder, names) for folder in folders]
  for files in listed:
    for kind, count in (files.skipped if files else {}).items():
      skipped[kind] = skipped.get(kind, 0) + count
  return names, listed, skipped


def _part_folders(path):
  """((train, valid, test) folders, None for a missing one; counts of what is ignored)."""
  if not os.path.isdir(path):
    raise errors.InputError(f"`image_dir` must be a folder that exists. Received: {path}")
  folders = _subfolders(path)
  named = [name for name in folders if name.lower() in _PARTS]
  parts = {}
  for name in named:
    if _subfolders(os.path.join(path, name)):
      parts.setdefault(_PARTS[name.lower()], []).append(name)
  others = [name for name in folders if name not in named]
  if not parts and (others or not named):
    return (path, None, None), {}
  _check_parts(path, named, parts, others)
  train, valid, test = (
      os.path.join(path, *parts[part]) if part in parts else None for part in range(3)
  )
  folders = (train, valid, test) if test else (train, None, valid)
  return folders, {**_beside(path), **{f"{name}/": 1 for name in others}}


def _check_parts(path, named, parts, others):
  """Raises InputError unless it is clear which folders are parts and which are classes."""
  twice = next((names for names in parts.values() if len(names) > 1), None)
  if twice:
    raise errors.InputError(
        "An image folder must have one folder of a part. "
        f"Received: {path} with {' and '.join(twice)}"
    )
  flat = [name for name in named if [name] not in parts.values()]
  if flat and (0 in parts or not parts):
    raise errors.InputError(
        f"A part must hold class folders, {flat[0]}/CLASS/*.jpg. "
        f"Received: {os.path.join(path, flat[0])} without"
    )
  beside = [name for name in others if _has_images(os.path.join(path, name))]
  if 0 not in parts or (len(parts) == 1 and beside):
    found = ", ".join([*named, *beside][:5])
    raise errors.InputError(
        "An image folder must hold parts, `train` and `valid` or `test`, or classes, of which one "
        f"of such a name has no folders inside. Received: {path} with {found}"
    )


def is_reserved(name):
  """Whether a file or folder belongs, by its name, to the system or a program."""
  return name.startswith(".") or name.lower() in RESERVED


def _scan(path):
  """(names of folders, names of files) in a folder; links are followed.

  Raises:
    InputError: It cannot be read.
  """
  try:
    with os.scandir(path) as entries:
      kinds = {entry.name: entry.is_dir() for entry in entries}
  except OSError as error:
    raise errors.InputError(f"Every folder must be readable. Received: {error}") from None
  folders = sorted(name for name, is_folder in kinds.items() if is_folder)
  return folders, sorted(name for name, is_folder in kinds.items() if not is_folder)


def _subfolders(path):
  return [name for name in _scan(path)[0] if not is_reserved(name)]


def _has_images(path):
  return any(_is_image(name) for _, _, names in _walk(path) for name in names)


def _is_image(name):
  return extensions.is_image(name) and not name.startswith(".")


def _classes(path):
  """dict, name of each class -> its folder; names in Unicode's composed form, NFC."""
  found = {}
  for folder in _subfolders(path):
    name = unicodedata.normalize("NFC", folder)
    if name in found:
      raise errors.InputError(
          "Every class needs one folder. Received: "
          f"{path} with two of the name {name}, in different Unicode forms"
      )
    found[name] = os.path.join(path, folder)
  return found


def _list_files(path, names):
  """Lists the images of each class; refuses classes that training does not have."""
  folders = _classes(path)
  unknown = sorted(set(folders) - set(names))
  if unknown:
    raise errors.InputError(
        f"Every part needs the training images' classes. Received: {path} with {unknown[0]}"
    )
  paths, labels, skipped = [], [], _beside(path)
  for label, name in enumerate(names):
    own = _images(folders[name], skipped) if name in folders else []
    if not own:
      raise errors.InputError(
          f"Every class needs images ({', '.join(extensions.EXTENSIONS)}). "
          f"Received: {os.path.join(path, name)} without"
      )
    paths += own
    labels += [label] * len(own)
  return Files(paths, np.array(labels, np.int32), skipped)


def _beside(path):
  """Counts what is ignored in a folder of class folders: images, and reserved folders."""
  folders, files = _scan(path)
  skipped = {f"{name}/": 1 for name in folders if is_reserved(name)}
  stray = sum(map(_is_image, files))
  return {**skipped, STRAY: stray} if stray else skipped


def _images(folder, skipped):
  """Paths of the images in a folder and below it; other files are counted in `skipped`."""
  paths = []
  for directory, inner, files in sorted(_walk(folder)):
    kinds = [f"{name}/" for name in inner if is_reserved(name)]
    for file in files:
      if _is_image(file):
        paths.append(os.path.join(directory, file))
        streams.check_name(paths[-1])
      else:
        extension = os.path.splitext(file)[1].lower() or BARE
        kinds.append(HIDDEN if file.startswith(".") else extension)
    for kind in kinds:
      skipped[kind] = skipped.get(kind, 0) + 1
  return paths


def _walk(folder, above=()):
  """(folder, names of folders, names of files) of a folder and all below, except reserved ones.

  Links are followed, which `os.walk` does not do by default.

  Raises:
    InputError: A folder cannot be read, or a link leads back to a folder above it.
  """
  place = os.path.realpath(folder)
  if place in above:
    raise errors.InputError(f"A link must not lead back to where it lies. Received: {folder}")
  inner, files = _scan(folder)
  yield folder, inner, files
  for name in inner:
    if not is_reserved(name):
      yield from _walk(os.path.join(folder, name), (*above, place))
