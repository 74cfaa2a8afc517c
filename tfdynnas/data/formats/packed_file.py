"""The format of a packed file: the encoded images of a whole source in one uncompressed `.npz`.

`record` is JSON as uint8: `format`, `kind`, `class_names` and the other entries of KINDS: `name`
(the full name of the source), `dataset`, `size` (height and width, null if they vary),
`test_split`, and `more`, further facts. Each part of the source, `train` and maybe `valid` and
`test`, has four arrays: `PART/bytes`, uint8, the images one after the other, without the first
bytes that all of them share; `PART/shared`, uint8, those bytes (most of a small JPEG is its
tables); `PART/ends`, int64 [n], where each ends; `PART/labels`, int32 [n]. `train/ids`, bytes [n],
names the images if a split needs that.
"""

import dataclasses
import json
import os
import pathlib

import numpy as np

from tfdynnas import errors
from tfdynnas.data import class_names as names_lib
from tfdynnas.files import atomic
from tfdynnas.files import damage
from tfdynnas.files import json_schema
from tfdynnas.files import npz_file

FORMAT = 1
PARTS = ("train", "valid", "test")
# What the record of each kind must hold, see `json_schema.check`.
_SIDE = json_schema.Number(1, 2**16, whole=True)
_EACH = {"name": str, "dataset": str, "size": (None, [_SIDE, _SIDE]), "class_names": [str]}
_MORE = {"skipped?": {str: json_schema.COUNT}}
_OTHER = {**_EACH, "more": _MORE}
KINDS = {
    "tfds": {**_EACH, "test_split": (None, str), "more?": _MORE},
    "folder": _OTHER, "digits": _OTHER,
}
_WHAT = "a whole file of tools/pack.py"


@dataclasses.dataclass(frozen=True)
class Part:
  """Encoded images and labels of a part, in the order of the source.

  Attributes:
    encoded: Sequence of bytes [n]: JPEG, PNG, GIF or BMP files.
    labels: int32 [n].
    ids: bytes array [n], or None.
  """

  encoded: "list[bytes] | Encoded"
  labels: np.ndarray
  ids: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Encoded:
  """The images of a part as the file holds them; `encoded[place]` is the bytes of one."""

  content: np.ndarray
  shared: bytes
  ends: np.ndarray

  def __len__(self):
    return len(self.ends)

  def __getitem__(self, place):
    start = self.ends[place - 1] if place else 0
    return self.shared + self.content[start:self.ends[place]].tobytes()


def save(path, record, parts):
  """Writes a packed file, whole or not at all.

  Args:
    path: New file.
    record: JSON-able dict: `kind`, `class_names` and the other entries of KINDS.
    parts: dict, one of PARTS -> Part.

  Raises:
    InputError: The name of a class cannot be written everywhere.
  """
  names_lib.check(record["class_names"], record["name"])
  arrays = {"record": _bytes(json.dumps({"format": FORMAT, **record}).encode())}
  for name, part in parts.items():
    shared = os.path.commonprefix(part.encoded)
    lengths = [len(image) - len(shared) for image in part.encoded]
    arrays[f"{name}/shared"] = _bytes(shared)
    arrays[f"{name}/bytes"] = _bytes(b"".join(image[len(shared):] for image in part.encoded))
    arrays[f"{name}/ends"] = np.cumsum(lengths, dtype=np.int64)
    arrays[f"{name}/labels"] = np.asarray(part.labels, np.int32)
    if part.ids is not None:
      arrays[f"{name}/ids"] = np.asarray(part.ids, np.bytes_)
  with atomic.replacing(path) as file:
    np.savez(file, **arrays)


def load(path):
  """Reads a packed file.

  Args:
    path: File that `save` wrote.

  Returns:
    (record, parts): dict; dict, name -> Part, `train` among them.

  Raises:
    InputError: It is missing, no packed file, damaged, or of another version of the format.
  """
  if not pathlib.Path(path).is_file():
    raise errors.InputError(f"`data_file` must be a file. Received: {path}, none")
  arrays = npz_file.read(path, _WHAT)
  with damage.refused(path, _WHAT):
    record = json.loads(arrays["record"].tobytes())
    if record["format"] != FORMAT or record["kind"] not in KINDS:
      raise ValueError(f"format {record['format']} of kind {record['kind']}")
    json_schema.check(path, record, KINDS[record["kind"]])
    names_lib.check(record["class_names"], path)
    record["class_names"] = tuple(record["class_names"])
    parts = {name: _part(arrays, name) for name in PARTS if f"{name}/bytes" in arrays}
    if "train" not in parts:
      raise ValueError("no training images")
  for name, part in parts.items():
    _check_labels(path, name, part.labels, len(record["class_names"]))
  return record, parts


def _part(arrays, name):
  """A part of the file; ValueError if its arrays do not match."""
  content, shared, ends, labels = (
      arrays[f"{name}/{array}"] for array in ("bytes", "shared", "ends", "labels")
  )
  kinds = [array.dtype for array in (content, shared, ends, labels)]
  if kinds != [np.uint8, np.uint8, np.int64, np.int32] or not labels.size:
    raise ValueError(f"{name} of other arrays")
  ids = arrays.get(f"{name}/ids")
  if not ends.shape == labels.shape == (labels if ids is None else ids).shape == (labels.size,):
    raise ValueError(f"{name} of arrays of several lengths")
  if np.any(np.diff(ends, prepend=0) < 0) or ends[-1] != content.size:
    raise ValueError(f"{name} with images that do not fill it")
  return Part(Encoded(content, shared.tobytes(), ends), labels, ids)


def _check_labels(path, name, labels, classes):
  wrong = np.flatnonzero((labels < 0) | (labels >= classes))
  if len(wrong):
    raise errors.InputError(
        f"Labels of {path} must be in [0, {classes}). "
        f"Received: {labels[wrong[0]]} at {name} image {wrong[0]}"
    )


def _bytes(content):
  return np.frombuffer(content, np.uint8)
