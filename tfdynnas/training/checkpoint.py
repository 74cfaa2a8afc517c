"""The state of a training in one file: arrays by variable path and a record, whole or not at all.

No back end's own format: any of them reads it. Sampler, order of the data and augmentation are
functions of (seed, step), so the step is all that is kept of them.
"""

import contextlib
import json
import pathlib
import zipfile
import zlib

import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import whole_file

_RECORD = "record"
# What zipfile, and who reads what is in a zip, raise of a damaged one; RuntimeError: encrypted.
DAMAGED = (
    OSError, ValueError, EOFError, LookupError, AttributeError, TypeError, RuntimeError,
    zipfile.BadZipFile, zlib.error,
)


def save(path, variables, record):
  """Writes a checkpoint.

  Args:
    path: File to write or replace.
    variables: dict, name -> keras.Variable or array.
    record: JSON-able dict.
  """
  arrays = {name: ops.convert_to_numpy(value) for name, value in variables.items()}
  arrays[_RECORD] = np.frombuffer(json.dumps(record).encode(), np.uint8)
  with whole_file.replacing(path) as file:
    np.savez(file, **arrays)


def record(path):
  """The record of a checkpoint.

  Args:
    path: File that `save` wrote.

  Returns:
    dict, or None if there is no such file.

  Raises:
    InputError: The file is not a whole checkpoint.
  """
  if not pathlib.Path(path).exists():
    return None
  with _opened(path) as arrays:
    found = json.loads(bytes(arrays[_RECORD]))
    if not isinstance(found, dict):
      raise ValueError("a record of another kind")
    return found


def restore(path, variables, partly=False):
  """Sets variables to what a checkpoint holds: all of them, exactly, or none.

  Args:
    path: File that `save` wrote.
    variables: dict, name -> keras.Variable.
    partly: bool, the checkpoint may hold more than these.

  Raises:
    InputError: The file is damaged, or names, shapes or kinds differ from those of `variables`.
  """
  with _opened(path) as arrays:
    names = set(arrays.files) - {_RECORD}
    names = names & set(variables) if partly else names
    odd = sorted(names.symmetric_difference(variables))
    if odd:
      raise errors.InputError(
          f"Checkpoint {path} must hold the variables of this run. Differing: {', '.join(odd[:4])}"
      )
    values = {name: arrays[name] for name in names}
  for name, variable in variables.items():
    value = values[name]
    if value.shape != tuple(variable.shape) or not _alike(value.dtype, variable.dtype):
      raise errors.InputError(
          f"Checkpoint {path} must hold {name} as {variable.dtype} {tuple(variable.shape)}. "
          f"Received: {value.dtype} {value.shape}"
      )
  for name, variable in variables.items():
    variable.assign(values[name])


def _alike(there, here):
  """Whether two kinds are the same; a count of steps is int64 on TensorFlow, int32 on JAX."""
  both = str(there), str(here)
  return both[0] == both[1] or set(both) == {"int32", "int64"}


@contextlib.contextmanager
def _opened(path):
  """Opens an .npz, and turns whatever is said of a damaged or foreign one into one line."""
  try:
    with np.load(path, allow_pickle=False) as arrays:
      if _RECORD not in arrays.files or arrays.zip.testzip() is not None:
        raise ValueError("no record, or a checksum differs")
      yield arrays
  except errors.InputError:
    raise
  except DAMAGED as error:
    raise errors.InputError(
        f"{path} must be a whole checkpoint of this package. Received: {error}"
    ) from error
