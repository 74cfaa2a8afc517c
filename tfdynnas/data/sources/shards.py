"""TFRecord shards of tf.train.Example, in the usual format of ImageNet.

Files: train-00000-of-01024 and so on, and validation-... or test-... likewise, with or without
`.tfrecord`. Features: `image/encoded`, bytes; `image/class/label`, int64, from 0, or from 1 as in
ImageNet (whose 0, the background, is no class here); the names of classes from
`image/class/synset`, or `image/class/text`, or else the numbers. Shards of `sharding` also have
`image/place`, int64, the place of the image in the list of its folder's part, so that they are
split as the folder is.
"""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re

import numpy as np

from tfdynnas import errors
from tfdynnas import made_by
from tfdynnas.data import broken
from tfdynnas.data import dataset as dataset_lib
from tfdynnas.data import split
from tfdynnas.data import streams
from tfdynnas.data.images import crop as crop_lib
from tfdynnas.data.images import preparation as preparation_lib
from tfdynnas.files import atomic
from tfdynnas.files import damage
from tfdynnas.files import regular_file

INDEX = "index.json"
IMAGE, LABEL = "image/encoded", "image/class/label"
SYNSET, TEXT, PLACE = "image/class/synset", "image/class/text", "image/place"
PARTS = ("train", "validation", "test")
_FILE = re.compile(r"(train|validation|test)-(\d{5})-of-(\d{5})(\.tfrecord)?")
_THREADS = 16


def is_shard(name):
  """Whether a file is a shard, by its name."""
  return bool(_FILE.fullmatch(name))


@made_by.recorded("record_dir")
def from_shards(
    path: str | os.PathLike, image_size: int | tuple[int, int] | None = None,
    valid_share: float | None = None, seed: int = 0, held_bytes: int = dataset_lib.HELD_BYTES,
    crop: str = "whole", test_share: float | None = None, look: bool = False, **preparing,
) -> dataset_lib.Data:
  """Loads a folder of TFRecord shards.

  Training, validation and test shards are the parts. If one of the last two is missing, the other
  is the test, and the training shards are split for validation; those of `sharding` as their folder
  is. The first use checks all shards, and keeps their counts in `index.json` if it can write it.

  Args:
    path: The folder.
    image_size: Height and width to resize to, an int or a pair; must be given.
    valid_share, test_share: Shares in (0, 1) of the training records to split, the second only if
      there are no other shards; None: 0.5 and no test, or those of the folder.
    seed: int in [0, 2**32), of the split.
    held_bytes, look: Most bytes of pixels to hold, else streamed; whether to decode scored images.
    crop: "whole" or "resized", see `crop`; resized ones are always streamed.
    **preparing: resize, orientation, background, max_pixels: see `preparation.Preparation`.

  Returns:
    Data.

  Raises:
    InputError: A shard is missing or damaged, or an argument cannot be used.

  Example:
    nas.data.write_shards("photos", "shards", count=2)
    data = nas.data.from_shards("shards", image_size=8)
  """
  path, preparation = os.fspath(path), _preparation(path, image_size, crop, preparing)
  files = _list(path)
  index = _index(path, files)
  shares = {"valid_share": valid_share, "test_share": test_share}
  return _load(path, files, index, preparation, shares, seed, held_bytes, look)


def _preparation(path, image_size, crop, preparing):
  if image_size is None:
    raise errors.InputError(f"TFRecord shards need `image_size`. Received: none for {path}")
  return preparation_lib.Preparation(size=image_size, crop=crop, **preparing)


def _load(path, files, index, preparation, shares, seed, held_bytes, look):
  """Splits the shards, and reads the parts or opens them as streams."""
  names, first = _classes(path, files, index)
  chosen, described = _cut(path, files, index, shares, seed)
  size = sum(len(own) for _, own in chosen) * int(np.prod(preparation.image_shape))
  crop = preparation.crop
  held = crop == "whole" and size <= held_bytes
  parts = [_part(path, files[p], index, own, first, preparation, held) for p, own in chosen]
  parts += [None] * (3 - len(parts))
  streams.look_at(parts[1:] if look else ())
  record = {
      "source": f"shards {os.path.abspath(path)}", "seed": seed, **described,
      **crop_lib.record(crop),
  }
  return dataset_lib.assemble(parts, names, record, crop_lib.constants(crop, names), preparation)


def _cut(path, files, index, shares, seed):
  """([(part of the shards, places of records) for train, valid and maybe test], record entries)."""
  labels, places = ({part: _each(files[part], index, fact) for part in files}
                    for fact in ("labels", "places"))
  test = next((part for part in ("test", "validation") if part in files), None)
  if not any(map(len, places.values())) and len(files) < 3:  # Not written by `sharding`.
    split.refuse_share(path, test_share=shares["test_share"] if test else None)
    chosen = [("train", own) for own in split.seeded(len(labels["train"]), seed, **shares)]
    chosen += [(test, np.arange(len(labels[test])))] if test else []
    given = {name: share for name, share in shares.items() if share is not None}
    valid_share = {"valid_share": split.VALID_SHARE, **given}
    return chosen, {"split": "seeded permutation", **valid_share, "test_split": test}
  order = {part: _record_order(path, part, places[part], len(labels[part])) for part in files}
  sources = "train", "validation" if len(files) == 3 else None, test
  own = [labels[part][order[part]] if part else None for part in sources]
  cut, how = split.of_parts(own, seed, **shares)
  chosen = [(sources[part], np.sort(order[sources[part]][own])) for part, own in cut]
  return chosen, {"split": how, "test_split": test}


def _each(names, index, fact):
  """A fact of each record of some shards, int64; empty for shards without it."""
  return np.concatenate([np.array(index[name][fact], np.int64) for name in names])


def _record_order(path, part, places, count):
  """Positions of a part's records in the order of their folder, if they come from one."""
  if len(places) == 0:
    return np.arange(count)
  order = np.argsort(places, kind="stable")
  if len(places) != count or not np.array_equal(places[order], np.arange(count)):
    raise errors.InputError(
        f"Shards of a part must be of one tools/make_records.py. Received: {path} with {part} "
        f"shards of several"
    )
  return order


def _list(path):
  """The shards of each part, by number: dict, part -> names of files."""
  if not os.path.isdir(path):
    raise errors.InputError(f"`record_dir` must be a folder that exists. Received: {path}")
  streams.check_name(path)
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
  """The contents of the shards: dict, name -> {"bytes", "records", "labels", "places", "names"}."""
  sizes = {name: _size(os.path.join(path, name)) for part in files.values() for name in part}
  place = pathlib.Path(path) / INDEX
  try:
    known = json.loads(regular_file.read_text(place, regular_file.MOST_LOG_BYTES))
    known = {name: known[name] for name in sizes if _is_entry(known[name], sizes[name])}
  except damage.KINDS:
    known = {}
  missing = [name for name in sizes if name not in known]
  if missing:
    with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
      counted = pool.map(lambda name: _count(os.path.join(path, name)), missing)
      known |= {name: {"bytes": sizes[name], **found} for name, found in zip(missing, counted)}
    try:
      atomic.write_text(place, json.dumps(known) + "\n")
    except OSError:  # In a read-only folder, every start counts again.
      pass
  return known


def _size(path):
  """Bytes of a shard."""
  if not os.path.isfile(path):
    raise errors.InputError(f"Every shard must be a file that is there. Received: {path}")
  return os.path.getsize(path)


def _is_entry(entry, size):
  """Whether this is an entry of the index for a shard of `size` bytes."""
  match entry:
    case {"bytes": int(own), "records": int(records), "labels": list(labels),
          "places": list(places), "names": dict(names)}:
      whole = len(labels) == records and len(places) in (0, records) and (
          {type(number) for number in (*labels, *places)} == {int})
      texts = all(isinstance(name, str) for name in names.values())
      # A record has 16 bytes beside its content.
      return own == size and 0 < records <= size // 16 and whole and texts
  return False


def _count(path):
  """Reads a shard: dict of its number of records, their labels and places, and names by label."""
  import tensorflow as tf

  labels, places, names = [], [], {}
  features = {
      IMAGE: tf.io.FixedLenFeature([], tf.string), LABEL: tf.io.FixedLenFeature([], tf.int64),
      SYNSET: tf.io.FixedLenFeature([], tf.string, ""),
      TEXT: tf.io.FixedLenFeature([], tf.string, ""),
      PLACE: tf.io.FixedLenFeature([], tf.int64, -1),
  }

  try:
    for block in tf.data.TFRecordDataset(path, buffer_size=2**20).batch(32):
      found = {name: fact.numpy() for name, fact in tf.io.parse_example(block, features).items()}
      own, placed = found[LABEL].tolist(), found[PLACE]
      labels += own
      places += placed[placed >= 0].tolist()
      texts = np.where(found[SYNSET] == b"", found[TEXT], found[SYNSET])
      names.update(zip(own, texts.tolist()))
  except broken.kinds() as error:
    raise errors.InputError(
        f"Every shard must be whole, of Examples with {IMAGE} and {LABEL}. "
        f"Received: {path}: {broken.reason(error)}"
    ) from None
  if not labels:
    raise errors.InputError(f"Every shard must have records. Received: {path} without")
  try:
    names = {str(label): name.decode() for label, name in names.items() if name}
  except UnicodeDecodeError as error:
    raise errors.InputError(
        f"{SYNSET} and {TEXT} must be UTF-8. Received: {path} with {error.object[:50]!r}"
    ) from None
  return {"records": len(labels), "labels": labels, "places": places, "names": names}


def _check_all(folder, names, index, preparation):
  """Raises InputError for the first of some shards that `_check` refuses."""
  for name in names:
    _check(os.path.join(folder, name), index[name], preparation)


def _check(path, entry, preparation):
  """Raises InputError if a shard is damaged, or its entry or a record (counted from 0) is wrong."""
  import tensorflow as tf

  if entry != {**entry, "bytes": _size(path), **_count(path)}:
    raise errors.InputError(
        f"`{INDEX}` must be of the shards beside it; without it they are counted anew. "
        f"Received: that of another {path}"
    )
  features = {IMAGE: tf.io.FixedLenFeature([], tf.string)}
  records = tf.data.TFRecordDataset(path, buffer_size=2**20)
  found = broken.first(
      records.map(lambda record: tf.io.parse_single_example(record, features)[IMAGE]), preparation
  )
  if found:
    raise errors.InputError(
        f"Every image must be readable. Received: {path} record {found[0]}: {found[1]}"
    )


def _classes(path, files, index):
  """(class names, label of the first one)."""
  labels = {part: _each(names, index, "labels") for part, names in files.items()}
  ranges = {part: (int(own.min()), int(own.max())) for part, own in labels.items()}
  (first, last), records = ranges["train"], len(labels["train"])
  if first not in (0, 1) or not 1 < last - first + 1 <= records:
    raise errors.InputError(
        "Labels must count from 0 or 1, of two or more classes and no more than training records. "
        f"Received: {first} to {last} of {records} records in {path}"
    )
  for part, (low, high) in ranges.items():
    if low < first or high > last:
      raise errors.InputError(
          f"Labels must be those of the training records, {first} to {last}. "
          f"Received: {low} to {high} in the {part} shards of {path}"
      )
  names = {}
  for name in files["train"]:
    names.update(index[name]["names"])
  return [names.get(str(label), str(label - first)) for label in range(first, last + 1)], first


def _part(path, names, index, places, first, preparation, held):
  """Images or Stream of the records at `places` of some shards."""
  import tensorflow as tf

  features = {
      IMAGE: tf.io.FixedLenFeature([], tf.string), LABEL: tf.io.FixedLenFeature([], tf.int64)
  }

  def decode(record, key):
    found = tf.io.parse_single_example(record, features)
    return preparation_lib.pixels(found[IMAGE], preparation, key), found[LABEL] - first

  def undecoded(record):
    return tf.io.parse_single_example(record, features)[IMAGE]

  lengths, shape = [index[name]["records"] for name in names], preparation.image_shape
  keep = np.zeros(sum(lengths), bool)
  keep[places] = True
  identity = [f"{name} {index[name]['bytes']} {index[name]['records']}" for name in names]
  identity += [streams.digest(keep.tobytes()), f"{shape} {first}", *preparation.identity()]
  records = streams.file_records([os.path.join(path, name) for name in names], lengths)
  record_bytes = sum(index[name]["bytes"] for name in names) // len(keep)
  stream = streams.sequential_stream(
      records, keep, shape, decode, "\n".join(identity), record_bytes,
      preparation.crop == "resized", undecoded,
  )
  stream = dataclasses.replace(stream, check=lambda: _check_all(path, names, index, preparation))
  if not held:
    labels = _each(names, index, "labels")[places] - first
    return dataclasses.replace(stream, labels=labels.astype(np.int32))
  images = stream.ordered().map(lambda _, image, label: (image, label))
  with stream.reading():
    return streams.hold(images, len(places), shape, stream.encoded)
