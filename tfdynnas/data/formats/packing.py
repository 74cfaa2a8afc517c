"""Packs a source of images, as they are encoded, into one file, which `from_packed` reads."""

import os
import pathlib

from tfdynnas import errors
from tfdynnas.data.formats import packed_file
from tfdynnas.data.formats import tfds_records
from tfdynnas.data.images import pixels
from tfdynnas.data.sources import digits
from tfdynnas.data.sources import folder
from tfdynnas.data.sources import listing
from tfdynnas.data.sources import tfds
from tfdynnas.files import atomic


def pack(
    path: str | os.PathLike, dataset: str | None = None,
    image_dir: str | os.PathLike | None = None, data_dir: str | os.PathLike | None = None,
    download: bool = False,
) -> dict[str, int]:
  """Packs a whole source; sizes, classes and splits are chosen when the file is read.

  Args:
    path: New file, .npz.
    dataset: "digits" or a tfds name; None if `image_dir` is given.
    image_dir: Folder with one folder per class.
    data_dir: Folder of prepared tfds sets.
    download: Whether to download and prepare a tfds set if it is missing.

  Returns:
    dict, name of each part -> number of its images; and `classes`, the number of classes.

  Raises:
    InputError: The source cannot be used, or `path` exists.

  Example:
    print(nas.data.pack("photos.npz", image_dir="photos"))
  """
  atomic.check_place(path, "data_file")
  if pathlib.Path(path).exists():
    raise errors.InputError(f"`data_file` must be a new file. Received: {path}")
  if (dataset is None) == (image_dir is None):
    raise errors.InputError(f"Give `dataset` or `image_dir`. Received: {dataset=}, {image_dir=}")
  with atomic.alone(path, "data_file"):
    if image_dir is not None:
      record, parts = _folder(image_dir)
    elif dataset == "digits":
      record, parts = _digits()
    else:
      record, parts = _tfds(dataset, data_dir, download)
    packed_file.save(path, record, parts)
  counts = {name: len(part.labels) for name, part in parts.items()}
  return {**counts, "classes": len(record["class_names"])}


def _tfds(dataset, data_dir, download):
  builder = tfds.open_builder(dataset, data_dir)
  with tfds.reading(builder):
    return _builder(builder, dataset, data_dir, download)


def _builder(builder, dataset, data_dir, download):
  size, names = tfds.own_size(builder, dataset), builder.info.features["label"].names
  tfds.prepare(builder, dataset, data_dir, download)
  source = tfds_records.Source(builder, None, len(names))
  test = tfds.find_test(source)
  full_name = builder.info.full_name
  named = tfds.takes_split_file(full_name)  # By the names of the training images.
  parts = {"train": _tfds_part(source, "train", named)}
  if test:
    parts["test"] = _tfds_part(source, test, False)
  record = {
      "kind": "tfds", "dataset": full_name.rpartition("/")[0], "name": full_name, "size": size,
      "class_names": names, "test_split": test,
      "more": {"skipped": tfds.unread(source, test)},
  }
  return record, parts


def _tfds_part(source, split, named):
  labels, *ids = source.facts(split, "label", *(("id",) if named else ()))
  classes = source.classes
  wrong = labels[(labels < 0) | (labels >= classes)]
  if len(wrong):
    raise errors.InputError(
        f"Labels of split {split} must be in [0, {classes}). Received: {wrong[0]}"
    )
  return packed_file.Part(source.encoded(split), labels, *ids)


def _folder(path):
  path = os.fspath(path)
  names, listed, skipped = listing.list_parts(path)
  sizes = {folder.header_size(file) for files in listed if files for file in files.paths}
  parts = {
      name: packed_file.Part([pathlib.Path(file).read_bytes() for file in files.paths],
                             files.labels)
      for name, files in zip(packed_file.PARTS, listed) if files
  }
  record = {
      "kind": "folder", "dataset": "", "name": f"folder {os.path.abspath(path)}",
      "size": sizes.pop() if len(sizes) == 1 else None, "class_names": names,
      "more": {"skipped": skipped},
  }
  return record, parts


def _digits():
  gray, labels = digits.load_gray()
  record = {
      "kind": "digits", "dataset": "digits", "name": "digits", "size": gray.shape[1:],
      "class_names": digits.CLASS_NAMES, "more": {},
  }
  return record, {"train": packed_file.Part([pixels.png(image) for image in gray], labels)}
