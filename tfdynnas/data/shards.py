"""TFRecord shards of tf.train.Example, in the format of ImageNet's usual ones.

Files: train-00000-of-01024 and so on, and validation-... or test-... alike, with or without
`.tfrecord`. Features: `image/encoded`, bytes; `image/class/label`, int64, which counts from 0, or,
as ImageNet's does, from 1 (0 stood for what is none of the classes; it has no class here); names
from `image/class/synset`, or `image/class/text`, or else the numbers.
"""

import concurrent.futures
import json
import os
import pathlib
import re

import numpy as np

from tfdynnas import errors
from tfdynnas import whole_file
from tfdynnas.data import crop as crop_lib
from tfdynnas.data import read
from tfdynnas.data import resize
from tfdynnas.data import sets
from tfdynnas.data import split

INDEX = "index.json"
IMAGE, LABEL = "image/encoded", "image/class/label"
SYNSET, TEXT = "image/class/synset", "image/class/text"
_FILE = re.compile(r"(train|validation|test)-(\d{5})-of-(\d{5})(\.tfrecord)?")
_THREADS = 16


def is_shard(name):
  """Whether a file of that name is a shard."""
  return bool(_FILE.fullmatch(name))


def from_shards(
    path, image_size, valid_share=0.5, seed=0, held_bytes=sets.HELD_BYTES, crop="whole"
):
  """Loads a folder of TFRecord shards; the training shards are split for validation.

  `test` is the test shards, or else the validation shards. The first use reads and checks all
  shards, and leaves what it counted in `index.json` there, if it may write.

  Args:
    path: The folder.
    image_size: Height and width to resize to, an int or a pair.
    valid_share: Share in (0, 1) of the training records that goes to validation.
    seed: int in [0, 2**32), of the split.
    held_bytes: A set with more bytes of pixels than this is streamed.
    crop: "whole" or "resized", see `crop`; resized ones are always streamed.

  Returns:
    Data.

  Raises:
    InputError: A shard is missing or damaged, or an argument cannot be used.
  """
  import tensorflow as tf

  path, shape = os.fspath(path), _shape(path, image_size, crop)
  files = _list(path)
  index = _index(path, files)
  try:
    return _load(path, files, index, shape, valid_share, seed, held_bytes, crop)
  except (tf.errors.DataLossError, tf.errors.FailedPreconditionError,
          tf.errors.InvalidArgumentError):  # None of which says in which shard, or record.
    for name in sum(files.values(), []):
      _check(os.path.join(path, name), index[name])
    raise


def _load(path, files, index, shape, valid_share, seed, held_bytes, crop):
  """Splits the shards, and reads the parts or opens them as streams."""
  names, first = _classes(path, files, index)
  test = next((part for part in ("test", "validation") if part in files), None)
  counts = {part: sum(index[name]["records"] for name in files[part]) for part in files}
  chosen = [("train", own) for own in split.seeded(counts["train"], valid_share, seed)]
  chosen += [(test, np.arange(counts[test]))] if test else []
  size = sum(len(own) for _, own in chosen) * int(np.prod(shape))
  held = crop == "whole" and size <= held_bytes
  parts = [_part(path, files[p], index, own, shape, first, crop, held) for p, own in chosen]
  record = {
      "source": f"shards {os.path.abspath(path)}", "split": "seeded permutation", "seed": seed,
      "valid_share": valid_share, "test_split": test, **crop_lib.record(crop),
  }
  parts = parts if test else [*parts, None]
  return sets.assemble(parts, names, record, crop_lib.constants(crop, names))


def _shape(path, image_size, crop):
  crop_lib.check(crop, image_size)
  if image_size is None:
    raise errors.InputError(f"TFRecord shards need `image_size`. Received: none for {path}")
  return *resize.size_pair(image_size), 3


def _list(path):
  """The shards of each part, by number: dict, part -> names of files."""
  if not os.path.isdir(path):
    raise errors.InputError(f"`record_dir` must be a folder that exists. Received: {path}")
  read.check_name(path)
  found = {}
  for name in sorted(os.listdir(path)):
    match = _FILE.fullmatch(name)
    if match:
      found.setdefault(match[1], []).append((int(match[2]), int(match[3]), name))
  if "train" not in found:
    raise errors.InputError(
        f"`record_dir` must hold train-00000-of-00008 and so on. Received: {path} without"
    )
  for part, shards in found.items():
    numbers, totals = [shard[0] for shard in shards], {shard[1] for shard in shards}
    if len(totals) != 1 or numbers != list(range(*totals)):
      raise errors.InputError(
          "Every shard must be there, once. "
          f"Received: {path} with {len(shards)} of {max(totals)} {part} shards"
      )
  return {part: [shard[2] for shard in shards] for part, shards in found.items()}


def _index(path, files):
  """What is in the shards: dict, name -> {"bytes", "records", "labels", "names"}."""
  sizes = {name: _size(os.path.join(path, name)) for part in files.values() for name in part}
  place = pathlib.Path(path) / INDEX
  try:
    known = json.loads(place.read_text())
    known = {name: known[name] for name in sizes if _is_entry(known[name], sizes[name])}
  except (OSError, ValueError, KeyError, TypeError, RecursionError):
    known = {}
  missing = [name for name in sizes if name not in known]
  if missing:
    with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
      counted = pool.map(lambda name: _count(os.path.join(path, name)), missing)
      known |= {name: {"bytes": sizes[name], **found} for name, found in zip(missing, counted)}
    try:
      whole_file.write_text(place, json.dumps(known) + "\n")
    except OSError:  # In a folder of somebody else's, every start counts anew.
      pass
  return known


def _size(path):
  """Bytes of a shard."""
  if not os.path.isfile(path):
    raise errors.InputError(f"Every shard must be a file that is there. Received: {path}")
  return os.path.getsize(path)


def _is_entry(entry, size):
  """Whether this is what the index says of a shard of so many bytes."""
  match entry:
    case {"bytes": int(own), "records": int(records), "labels": [int(low), int(high)],
          "names": dict(names)}:
      texts = all(isinstance(name, str) for name in names.values())
      # A record has 16 bytes beside its content.
      return own == size and 0 < records <= size // 16 and low <= high and texts
  return False


def _count(path):
  """Reads one shard: dict of its records, the range of its labels, and names by label."""
  import tensorflow as tf

  records, labels, names = 0, set(), {}
  features = {
      IMAGE: tf.io.FixedLenFeature([], tf.string), LABEL: tf.io.FixedLenFeature([], tf.int64),
      SYNSET: tf.io.FixedLenFeature([], tf.string, ""),
      TEXT: tf.io.FixedLenFeature([], tf.string, ""),
  }

  def facts(record):
    found = tf.io.parse_single_example(record, features)
    name = tf.where(found[SYNSET] == "", found[TEXT], found[SYNSET])
    return found[LABEL], name

  dataset = tf.data.TFRecordDataset(path, buffer_size=2**20).map(facts).batch(256)
  try:
    for own, texts in dataset.as_numpy_iterator():
      records += len(own)
      labels.update(own.tolist())
      names.update(zip(own.tolist(), texts.tolist()))
  except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
    raise errors.InputError(
        f"Every shard must be whole, of Examples with {IMAGE} and {LABEL}. "
        f"Received: {path}: {read.reason(error)}"
    ) from None
  if not records:
    raise errors.InputError(f"Every shard must have records. Received: {path} without")
  try:
    names = {str(label): name.decode() for label, name in names.items() if name}
  except UnicodeDecodeError as error:
    raise errors.InputError(
        f"{SYNSET} and {TEXT} must be UTF-8. Received: {path} with {error.object[:50]!r}"
    ) from None
  return {"records": records, "labels": [min(labels), max(labels)], "names": names}


def _check(path, entry):
  """Raises InputError of what is wrong with a shard: damage, its entry, or a record (from 0)."""
  import tensorflow as tf

  if entry != {**entry, **_count(path)}:
    raise errors.InputError(
        f"`{INDEX}` must be of the shards beside it; without it they are counted anew. "
        f"Received: that of another {path}"
    )
  features = {IMAGE: tf.io.FixedLenFeature([], tf.string)}
  records = tf.data.TFRecordDataset(path, buffer_size=2**20)
  found = read.first_broken(
      records.map(lambda record: tf.io.parse_single_example(record, features)[IMAGE])
  )
  if found:
    raise errors.InputError(
        f"Every image must be readable. Received: {path} record {found[0]}: {found[1]}"
    )


def _classes(path, files, index):
  """(class names, the label of the first)."""
  ranges = {part: [index[name]["labels"] for name in names] for part, names in files.items()}
  first, last = min(low for low, _ in ranges["train"]), max(high for _, high in ranges["train"])
  records = sum(index[name]["records"] for name in files["train"])
  if first not in (0, 1) or not 1 < last - first + 1 <= records:
    raise errors.InputError(
        "Labels must count from 0 or 1, of two or more classes and no more than training records. "
        f"Received: {first} to {last} of {records} records in {path}"
    )
  for part, found in ranges.items():
    low, high = min(low for low, _ in found), max(high for _, high in found)
    if low < first or high > last:
      raise errors.InputError(
          f"Labels must be those of the training records, {first} to {last}. "
          f"Received: {low} to {high} in the {part} shards of {path}"
      )
  names = {}
  for name in files["train"]:
    names.update(index[name]["names"])
  return [names.get(str(label), str(label - first)) for label in range(first, last + 1)], first


def _part(path, names, index, places, shape, first, crop, held):
  """Images or Stream of the records at `places` of some shards."""
  import tensorflow as tf

  features = {
      IMAGE: tf.io.FixedLenFeature([], tf.string), LABEL: tf.io.FixedLenFeature([], tf.int64)
  }

  def decode(record, key):
    found = tf.io.parse_single_example(record, features)
    return crop_lib.decoded(found[IMAGE], shape[:2], crop, key), found[LABEL] - first

  lengths = [index[name]["records"] for name in names]
  keep = np.zeros(sum(lengths), bool)
  keep[places] = True
  identity = [f"{name} {index[name]['bytes']} {index[name]['records']}" for name in names]
  identity += [read.digest(keep.tobytes()), f"{shape} {first}", *crop_lib.record(crop)]
  records = read.file_records([os.path.join(path, name) for name in names], lengths)
  record_bytes = sum(index[name]["bytes"] for name in names) // len(keep)
  stream = read.sequential_stream(
      records, keep, shape, decode, "\n".join(identity), record_bytes, crop == "resized"
  )
  if not held:
    return stream
  images = stream.ordered().map(lambda _, image, label: (image, label))
  return read.hold(images, len(places), shape)
