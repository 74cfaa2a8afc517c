"""Writes a folder of images as TFRecord shards, in the format that `shards` reads."""

import os
import pathlib
import shutil

from tfdynnas import errors
from tfdynnas.data import order
from tfdynnas.data import streams
from tfdynnas.data.sources import folder
from tfdynnas.data.sources import listing
from tfdynnas.data.sources import shards
from tfdynnas.files import atomic


def write_shards(
    image_dir: str | os.PathLike, record_dir: str | os.PathLike, count: int = 8, seed: int = 0
) -> dict[str, int]:
  """Writes a folder of images as shards: the unchanged files, in a seeded order.

  They appear when all are written, training shards last, since nothing loads without those. The
  shards of a killed process are replaced.

  Args:
    image_dir: Folder of images, see `folder.from_folder`. Without a folder `train`, all images are
      in training shards, and are split when they are read.
    record_dir: Folder to write; new, or without shards.
    count: int >= 1, shards of each part.
    seed: int in [0, 2**32), of the order.

  Returns:
    dict, name of each part -> number of its images.

  Raises:
    InputError: A folder, or the header of an image, cannot be used.

  Example:
    print(nas.data.write_shards("photos", "records", count=2))
  """
  names, listed, _ = listing.list_parts(os.fspath(image_dir))
  record_dir, draft = pathlib.Path(record_dir), pathlib.Path(record_dir, ".partial")
  streams.check_name(str(record_dir))
  found = {part: files for part, files in zip(shards.PARTS, listed) if files}
  fewest = min(len(files.paths) for files in found.values())
  if not 1 <= count <= fewest:
    raise errors.InputError(
        f"`record_shards` must be in [1, {fewest}], images of the smallest part. Received: {count}"
    )
  with atomic.alone(record_dir / "shards", "record_dir"):
    _write_parts(record_dir, draft, found, names, count, seed)
  return {part: len(files.paths) for part, files in found.items()}


def _write_parts(record_dir, draft, found, names, count, seed):
  """Writes the shards of all parts, which appear when all are written."""
  _empty(record_dir, draft, {_name(part, n, count) for part in found for n in range(count)})
  try:
    for part, files in found.items():
      _write_part(draft, part, files, names, count, seed)
  except BaseException:
    shutil.rmtree(draft)
    raise
  for path in sorted(draft.iterdir(), key=lambda path: path.name.startswith(shards.PARTS[0])):
    os.replace(path, record_dir / path.name)
  draft.rmdir()


def _name(part, number, count):
  """Name of a shard's file."""
  return f"{part}-{number:05}-of-{count:05}"


def _empty(record_dir, draft, names):
  """Makes both folders; the only shards that they may hold are those of a killed process."""
  there = {path.name for path in record_dir.glob("*") if shards.is_shard(path.name)}
  if there and (not draft.is_dir() or not there <= names):
    raise errors.InputError(f"`record_dir` must have no shards yet. Received: {record_dir}")
  try:
    draft.mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise errors.InputError(
        f"`record_dir` must be a folder that can be written. Received: {error}"
    ) from None
  foreign = [path.name for path in draft.iterdir() if not shards.is_shard(path.name)]
  if draft.is_symlink() or foreign:
    raise errors.InputError(
        f"{draft} must be what a killed process left. Received: {foreign or 'a link'}"
    )
  for shard in draft.iterdir():
    shard.unlink()


def _write_part(draft, part, files, names, count, seed):
  """Writes the shards of a part."""
  mixed = order.permutation(seed, len(files.paths))
  for number in range(count):
    path = draft / _name(part, number, count)
    _write_one(path, files, mixed[number::count], names)


def _write_one(path, files, places, names):
  """Writes one shard."""
  import tensorflow as tf

  with tf.io.TFRecordWriter(str(path)) as file:
    for place in places:
      folder.header_size(files.paths[place])
      label, listed = int(files.labels[place]) + 1, int(place)  # From 1, as in ImageNet.
      content = pathlib.Path(files.paths[place]).read_bytes()
      features = {
          shards.IMAGE: _bytes(content), shards.TEXT: _bytes(names[label - 1].encode()),
          shards.LABEL: _number(label), shards.PLACE: _number(listed),
      }
      example = tf.train.Example(features=tf.train.Features(feature=features))
      file.write(example.SerializeToString())


def _number(value):
  import tensorflow as tf

  return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def _bytes(content):
  import tensorflow as tf

  return tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
