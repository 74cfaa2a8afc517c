"""Files that appear whole or not at all."""

import contextlib
import os
import pathlib


@contextlib.contextmanager
def replacing(path, sync=True):
  """Opens a temporary beside `path` for writing bytes, and renames it there at the end.

  On any exception, a full disk among them, `path` is as it was and the temporary is gone; a killed
  process leaves at most the temporary, which the next write overwrites.

  Args:
    path: File to write; its folder is made.
    sync: Wait until it is on the disk: safe from a loss of power too, not only from a kill.

  Yields:
    Binary file object.
  """
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = path.with_name(f".{path.name}.partial")
  try:
    with open(temporary, "wb") as file:
      yield file
      file.flush()
      if sync:
        os.fsync(file.fileno())
    os.replace(temporary, path)
  except BaseException as error:
    temporary.unlink(missing_ok=True)
    if isinstance(error, OSError) and error.filename is None:
      error.filename = str(path)  # A full disk says no name by itself.
    raise


def write_text(path, text, sync=True):
  """Writes a text file whole; see `replacing`."""
  with replacing(path, sync) as file:
    file.write(text.encode())
