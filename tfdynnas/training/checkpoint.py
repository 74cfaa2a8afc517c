"""The state of a training in one file: arrays by variable path and a record, whole or not at all.

Every backend reads the same format. Sampler, data order and augmentation are functions of
(seed, step), so only the step is kept of them.
"""

import json
import pathlib

import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.files import atomic
from tfdynnas.files import damage
from tfdynnas.files import json_schema
from tfdynnas.files import npz_file

_RECORD = "record"
_WHAT = "a whole checkpoint of this package"


def save(path, variables, record):
  """Writes a checkpoint.

  Args:
    path: File to write or replace.
    variables: dict, name -> keras.Variable or array.
    record: JSON-able dict.
  """
  arrays = {name: ops.convert_to_numpy(value) for name, value in variables.items()}
  arrays[_RECORD] = np.frombuffer(json.dumps(record).encode(), np.uint8)
  with atomic.replacing(path) as file:
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
  arrays = npz_file.read(path, _WHAT, {_RECORD})
  with damage.refused(path, _WHAT):
    found = json.loads(bytes(arrays[_RECORD]))
  json_schema.check(path, found, dict)
  return found


def restore(path, variables, partly=False):
  """Sets variables to what a checkpoint holds: all of them, exactly, or none.

  Args:
    path: File that `save` wrote.
    variables: dict, name -> keras.Variable.
    partly: bool, whether the checkpoint may hold more than these.

  Raises:
    InputError: The file is damaged, or names, shapes or dtypes differ from those of `variables`.
  """
  values = npz_file.read(path, _WHAT, set(variables) if partly else None)
  values.pop(_RECORD, None)
  odd = sorted(set(values).symmetric_difference(variables))
  if odd:
    raise errors.InputError(
        f"Checkpoint {path} must hold the variables of this run. Differing: {', '.join(odd[:4])}"
    )
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
  """Whether two dtypes agree; a count of steps is int64 on TensorFlow, int32 on JAX."""
  both = str(there), str(here)
  return both[0] == both[1] or set(both) == {"int32", "int64"}
