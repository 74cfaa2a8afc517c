"""Benchmark tables: how accurate the archs of a space are when each is trained on its own.

A table is an `.npz` file. Its arrays, one number per arch in lexicographic order, are named
`DATASET_SPLIT` (200 epochs) or `DATASET_SPLIT_EPOCHS`; beside them it may hold `ranking_subset`,
the indices on which the literature ranks, and `space`, the name of the space (nasbench201 if not).
"""

import dataclasses
import os
import pathlib
import re

import numpy as np

from tfdynnas import errors
from tfdynnas import registry
from tfdynnas import spaces
from tfdynnas.files import atomic
from tfdynnas.files import npz_file

EPOCHS = 200  # For a name without a number: the training length in the literature.
SPACE = "nasbench201"
_NAME = re.compile(r"(.+)_([a-z]+)(?:_(\d+))?")
_HOW = (
    "make it with tools/make_table.py of a NATS-Bench download, or give tools/rank.py "
    "--standalone=N, which trains N archs as the truth"
)


@dataclasses.dataclass(frozen=True)
class Table:
  """Accuracies of all archs of a space.

  Attributes:
    name: Path of its file.
    space: Name of the space.
    accuracies: dict, (dataset, split, epochs) -> float32 [size], percent, NaN where unknown.
    subset: int64 indices of the archs to rank, or None.
  """

  name: str
  space: str
  accuracies: dict
  subset: np.ndarray | None = None

  @property
  def size(self):
    """int, archs of the space."""
    return len(next(iter(self.accuracies.values())))

  def has(self, dataset, split="test", epochs=EPOCHS):
    """Whether the table has such accuracies."""
    return (dataset, split, epochs) in self.accuracies

  def accuracy(self, dataset, split="test", epochs=EPOCHS):
    """Accuracies of all archs.

    Args:
      dataset: Name of the data set, such as cifar10.
      split: Name of the images measured on, such as test or valid.
      epochs: int, length of the training.

    Returns:
      float32 [size], percent, in lexicographic order; NaN where unknown.

    Raises:
      InputError: The table has no such numbers.
    """
    if not self.has(dataset, split, epochs):
      there = ", ".join(_key(*known) for known in sorted(self.accuracies))
      raise errors.InputError(
          f"{self.name} must have `{_key(dataset, split, epochs)}`: {_HOW}. Received: {there}"
      )
    return self.accuracies[dataset, split, epochs]


def load_table(path):
  """Reads a table.

  Args:
    path: Path of the `.npz` file.

  Returns:
    Table.

  Raises:
    InputError: There is no such file, it is no table, or its numbers are impossible.
  """
  path = pathlib.Path(path)
  if not os.path.isfile(path):  # pathlib's raises for too long a name.
    raise errors.InputError(f"`table` must be a file: {_HOW}. Received: {str(path):.300}, none")
  arrays = npz_file.read(path, "a whole .npz file")
  space = str(arrays.pop("space", SPACE))
  subset = arrays.pop("ranking_subset", None)
  table = Table(str(path), space, {_parts(path, name): _percents(path, name, values)
                                   for name, values in arrays.items()})
  _check_sizes(table)
  return table if subset is None else dataclasses.replace(table, subset=_indices(table, subset))


def save_table(path, space, accuracies, subset=None):
  """Writes a table, whole or not at all.

  Args:
    path: Path of the `.npz` file.
    space: Name of the space.
    accuracies: dict, (dataset, split, epochs) -> [size] percent, NaN where unknown.
    subset: Indices of the archs to rank, or None.
  """
  arrays = {_key(*of): np.asarray(values, np.float32) for of, values in accuracies.items()}
  if subset is not None:
    arrays["ranking_subset"] = np.asarray(subset, np.int32)
  with atomic.replacing(path) as file:
    np.savez_compressed(file, space=np.array(space), **arrays)


def _key(dataset, split, epochs):
  return f"{dataset}_{split}" if epochs == EPOCHS else f"{dataset}_{split}_{epochs}"


def _parts(path, name):
  found = _NAME.fullmatch(name)
  if not found:
    raise errors.InputError(
        f"Arrays of {path} are DATASET_SPLIT or DATASET_SPLIT_EPOCHS. Received: {name!r}"
    )
  dataset, split, epochs = found.groups()
  return dataset, split, int(epochs or EPOCHS)


def _percents(path, name, values):
  """The array of a name as float32, if it can be accuracies."""
  if values.ndim != 1 or values.dtype.kind not in "fiu" or not len(values):
    raise errors.InputError(
        f"`{name}` of {path} must be one number per arch. Received: {values.dtype} "
        f"{list(values.shape)}"
    )
  values = values.astype(np.float32)
  wrong = values[~(np.isnan(values) | ((values >= 0) & (values <= 100)))]
  if len(wrong):
    raise errors.InputError(
        f"`{name}` of {path} must be percent in [0, 100], or NaN. Received: {wrong[0]}"
    )
  return values


def _check_sizes(table):
  """Refuses a table without numbers, or with too few or too many for its space."""
  sizes = {_key(*of): len(values) for of, values in table.accuracies.items()}
  known = {spaces.get(table.space).size} if table.space in registry.SPACES else set()
  if len(known | set(sizes.values())) != 1 or not sizes:
    wanted = f"the {known.pop()} archs of {table.space}" if known else "all archs of its space"
    raise errors.InputError(f"{table.name} must have accuracies of {wanted}. Received: {sizes}")


def _indices(table, subset):
  """The subset, checked."""
  if subset.ndim != 1 or subset.dtype.kind not in "iu" or len(np.unique(subset)) != subset.size:
    raise errors.InputError(
        f"`ranking_subset` of {table.name} must be different integers. Received: {subset.dtype} "
        f"{list(subset.shape)}"
    )
  wrong = subset[(subset < 0) | (subset >= table.size)]
  if len(wrong):
    raise errors.InputError(
        f"`ranking_subset` of {table.name} must be in [0, {table.size}). Received: {wrong[0]}"
    )
  return subset.astype(np.int64)
