"""Reads `.npz` files, which are whole, or are refused."""

import os
import warnings
import zipfile

import numpy as np

from tfdynnas.files import damage
from tfdynnas.files import regular_file

_END = 22  # Bytes of what ends a zip file without a comment; numpy writes none.
_PIECE = 2**20  # Bytes of an array that is only checked.


def read(path, what, wanted=None):
  """Reads the arrays of a file, and checks the checksums of all.

  Args:
    path: The file.
    what: str, what the file must be, for the message.
    wanted: Collection of names, None for all: the others are not kept.

  Returns:
    dict, name -> array; none of Python objects.

  Raises:
    InputError: It is not there, damaged, or no such file.
  """
  # zipfile and numpy raise a dozen kinds, as the damage has it.
  with (damage.refused(path, what, Exception), regular_file.open_bytes(path) as file,
        warnings.catch_warnings()):
    warnings.simplefilter("ignore")  # numpy's, of odd headers: refused, or of no harm.
    with zipfile.ZipFile(file) as members:
      _check_count(file, len(members.namelist()))
      return dict(filter(None, (_member(members, name, wanted) for name in members.namelist())))


def _check_count(file, found):
  """Raises ValueError unless the directory has as many entries as its end says.

  zipfile does not look: of one bit of a length it takes an entry for the comment of another.
  """
  file.seek(-_END, os.SEEK_END)
  end = file.read()
  if end[:4] != b"PK\x05\x06" or int.from_bytes(end[10:12], "little") != found:
    raise ValueError("the directory's entries are not as many as its end says")


def _member(members, name, wanted):
  """(name of an array, array), None of one that is not wanted."""
  own = name.removesuffix(".npy")
  with members.open(name) as content:
    if wanted is not None and own not in wanted:
      while content.read(_PIECE):  # To the end, where the checksum is looked at.
        pass
      return None
    array = np.lib.format.read_array(content, allow_pickle=False)
    if content.read(1):
      raise ValueError(f"{own} is longer than its header says")
    return own, array
