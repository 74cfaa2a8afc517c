"""Reads `.npz` files, and refuses damaged ones."""

import os
import warnings
import zipfile

import numpy as np

from tfdynnas.files import damage
from tfdynnas.files import regular_file

_END = 22  # Bytes of the end record of a zip file without a comment; numpy writes none.
_PIECE = 2**20  # Bytes read at a time from an array that is only checked.


def read(path, what, wanted=None):
  """Reads the arrays of a file, and checks all checksums.

  Args:
    path: The file.
    what: str, what the file must be, for the message.
    wanted: Collection of the names to return, None for all.

  Returns:
    dict, name -> array; arrays of Python objects are refused.

  Raises:
    InputError: It is missing, damaged, or no such file.
  """
  # zipfile and numpy raise a dozen exceptions, depending on the damage.
  with (damage.refused(path, what, Exception), regular_file.open_bytes(path) as file,
        warnings.catch_warnings()):
    warnings.simplefilter("ignore")  # numpy's, about odd headers: refused later, or harmless.
    with zipfile.ZipFile(file) as members:
      _check_count(file, len(members.namelist()))
      return dict(filter(None, (_member(members, name, wanted) for name in members.namelist())))


def _check_count(file, found):
  """Raises ValueError unless the directory has as many entries as the end record says.

  zipfile does not check: one flipped bit in a length makes it read an entry as a comment.
  """
  file.seek(-_END, os.SEEK_END)
  end = file.read()
  if end[:4] != b"PK\x05\x06" or int.from_bytes(end[10:12], "little") != found:
    raise ValueError("the directory's entries are not as many as its end says")


def _member(members, name, wanted):
  """The (name, array) of a member, None if it is not wanted."""
  own = name.removesuffix(".npy")
  with members.open(name) as content:
    if wanted is not None and own not in wanted:
      while content.read(_PIECE):  # To the end, where zipfile checks the checksum.
        pass
      return None
    array = np.lib.format.read_array(content, allow_pickle=False)
    if content.read(1):
      raise ValueError(f"{own} is longer than its header says")
    return own, array
