"""Splits into training, validation and test: seeded permutations, or a published fixed list."""

import hashlib
import re

import numpy as np

from tfdynnas import errors
from tfdynnas.data import order
from tfdynnas.files import regular_file

# First labels of CIFAR-10's original batch files: renumbered records differ here.
CIFAR10_LABELS = (6, 9, 9, 4, 1, 1, 2, 7, 8, 3, 4, 7, 7, 2, 9, 9, 9, 3, 2, 6)
# MD5 of the comma-joined sorted training positions of NAS-Bench-201's fixed 25k/25k split.
CIFAR10_TRAIN = "33271aabb5cacdf1c47132344207b167"
VALID_SHARE = 0.5  # For tfds sets and other sources without class folders.


def seeded(size, seed, valid_share=None, test_share=None):
  """Splits positions by a seeded permutation, whatever their classes.

  Args:
    size: Number of images.
    seed: int in [0, 2**32).
    valid_share: Share in (0, 1) for validation; None: VALID_SHARE.
    test_share: Share in (0, 1) for the test; None: no test.

  Returns:
    [train, valid] or [train, valid, test]: int32 arrays, each sorted, together all of range(size).

  Raises:
    InputError: A share is out of range or leaves a part empty.
  """
  shares = _shares(VALID_SHARE if valid_share is None else valid_share, test_share)[1:]
  counts = [round(size * share) for share in shares]
  if not all(counts) or sum(counts) >= size:
    raise errors.InputError(
        "Every part of a split needs at least one image. "
        f"Received: {size} images, {valid_share=}, {test_share=}"
    )
  places = order.permutation(seed, size, purpose=order.SPLIT)
  *others, train = np.split(places, np.cumsum(counts))
  return [np.sort(part) for part in (train, *others)]


def _shares(valid_share, test_share):
  """The share of each part, training first; without the test if its share is None."""
  given = {"valid_share": valid_share, "test_share": test_share}
  given = {name: share for name, share in given.items() if share is not None}
  for name, share in given.items():
    if not 0 < share < 1:
      raise errors.InputError(f"`{name}` must be in (0, 1). Received: {share}")
  rest = round(1 - sum(given.values()), 12)  # As decimals, else the error of floats tips halves.
  if rest <= 0:
    raise errors.InputError(
        f"`valid_share` and `test_share` must come to less than 1. Received: {given}"
    )
  return rest, *given.values()


def refuse_share(source, **shares):
  """Raises InputError if a share was given for a part that the source already has.

  Args:
    source: str, the source, for the message.
    **shares: `valid_share`, `test_share`; None if not given.
  """
  for name, share in shares.items():
    if share is not None:
      raise errors.InputError(
          f"`{name}` is for images that are not split yet. Received: {share} for {source}"
      )


def stratified(labels, shares, seed):
  """Splits positions so that every class has about the same share in each part.

  A small class may be missing in some part, but never in the first.

  Args:
    labels: int [n].
    shares: Share of each part; they sum to 1.
    seed: int in [0, 2**32).

  Returns:
    List of sorted int32 arrays, one per share, together all of range(n).

  Raises:
    InputError: A part stays empty.
  """
  labels = np.asarray(labels)
  places = order.permutation(seed, len(labels), purpose=order.SPLIT)
  part = np.empty(len(labels), np.int32)
  bounds = np.cumsum(shares)[:-1]
  for label in np.unique(labels):
    members = places[labels[places] == label]
    cuts = np.maximum(np.round(bounds * len(members)).astype(np.int64), 1)
    part[members] = np.searchsorted(cuts, np.arange(len(members)), side="right")
  parts = [np.flatnonzero(part == index).astype(np.int32) for index in range(len(shares))]
  if not all(len(positions) for positions in parts):
    sizes = [len(positions) for positions in parts]
    raise errors.InputError(
        f"Every part of a split needs at least one image. Received: {len(labels)} images, {sizes=}"
    )
  return parts


def of_parts(labels, seed, valid_share=None, test_share=None):
  """Makes training, validation and test from the parts of a source.

  Existing parts stay as they are; missing ones are cut from the training images, stratified by
  class: without a test, 30 % for validation and 20 % for the test; with one, 40 % for validation.

  Args:
    labels: int [n] of train, valid and test; None for a missing part. A source with a validation
      part must have a test.
    seed: int in [0, 2**32).
    valid_share: Share in (0, 1) of the training images for validation, instead of the above.
    test_share: Share in (0, 1) of the training images for the test, instead of the above.

  Returns:
    (parts, how): for each of train, valid and test (index of the source's part, int32 places in
    it); how they were split.

  Raises:
    InputError: A part stays empty, or a share is out of range or for an existing part.
  """
  train, valid, test = labels
  if test is not None:
    refuse_share("images with a test of their own", test_share=test_share)
  if valid is not None:
    refuse_share("images with a validation part of their own", valid_share=valid_share)
    return [(part, np.arange(len(own))) for part, own in enumerate(labels)], "folders"
  default_valid, default_test = (0.3, 0.2) if test is None else (0.4, None)
  shares = _shares(
      default_valid if valid_share is None else valid_share,
      default_test if test_share is None else test_share,
  )
  parts = [(0, places) for places in stratified(train, shares, seed)]
  return parts + ([] if test is None else [(2, np.arange(len(test)))]), "seeded permutation"


def literature(split_file, ids, labels):
  """The fixed 25k/25k CIFAR-10 split of NAS-Bench-201, from its list and the records' ids.

  Args:
    split_file: Path of a text with the 25 000 training positions, or with both the training and
      validation ones (`cifar-split.txt` of the NAS-Bench-201 code); checked by the known MD5.
    ids: Record ids `train_00000` .. `train_49999`, in the order of `labels`.
    labels: int [50000].

  Returns:
    (train, valid): int32 arrays of places in `ids`, in the order of the list.

  Raises:
    InputError: The records are not the original ones, or the list is not the known one.
  """
  numbers = [int(found[1]) for name in ids if (found := re.fullmatch(r"train_(\d{5})", name))]
  if len(ids) != 50_000 or sorted(numbers) != list(range(50_000)):
    raise errors.InputError(
        "`split_file` needs records with the ids train_00000 to train_49999. "
        f"Received: {len(ids)} records, {len(set(numbers))} such ids"
    )
  place = np.empty(50_000, np.int32)
  place[numbers] = np.arange(50_000)
  first = tuple(int(label) for label in np.asarray(labels)[place[:len(CIFAR10_LABELS)]])
  if first != CIFAR10_LABELS:
    raise errors.InputError(
        "`split_file` needs CIFAR-10 in its original order, whose labels start "
        f"{_join(CIFAR10_LABELS)}. Received: {_join(first)}; without `split_file` the seed splits"
    )
  train = _read_positions(split_file)
  valid = np.setdiff1d(np.arange(50_000), train)
  return place[train], place[valid]


def _read_positions(path):
  """Training positions of a split file, sorted and verified."""
  try:
    text = regular_file.read_text(path)
  except (OSError, UnicodeDecodeError) as error:
    raise errors.InputError(f"`split_file` must be a readable text. Received: {error}") from None
  # Any layout is accepted, a plain list or the published file's typed JSON with both lists: the
  # training positions are the block of 25 000 numbers with the known MD5.
  numbers = [int(word) for word in re.findall(r"\b[0-9]{1,5}\b", text)]
  for start in range(0, len(numbers), 25_000):
    positions = sorted(numbers[start:start + 25_000])
    digest = hashlib.md5(_join(positions).encode(), usedforsecurity=False).hexdigest()
    if digest == CIFAR10_TRAIN:
      return np.array(positions, np.int32)
  raise errors.InputError(
      "`split_file` must hold the 25 000 training positions with MD5 "
      f"{CIFAR10_TRAIN}. Received: {path} with {len(numbers)} numbers"
  )


def _join(numbers):
  return ",".join(str(number) for number in numbers)
