"""Files that appear whole or not at all, and are made by one process at a time."""

import contextlib
import fcntl
import os
import pathlib

from tfdynnas import errors

_LONGEST_NAME = 240  # Bytes; file systems allow 255, and the temporary's name is longer.


@contextlib.contextmanager
def replacing(path, sync=True):
  """Opens a temporary file beside `path` for writing bytes, and renames it to `path` at the end.

  On any exception, such as a full disk, `path` is unchanged and the temporary file is removed; a
  killed process leaves at most the temporary file, which the next write overwrites. Concurrent
  writers wait for one another.

  Args:
    path: File to write; its folder is made.
    sync: Whether to wait until it is on the disk: safe from loss of power, not only from a kill.

  Yields:
    Binary file object.
  """
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = path.with_name(f".{path.name}.partial")
  try:
    with open(_locked(temporary), "wb") as file:
      try:
        file.truncate()
        yield file
        file.flush()
        if sync:
          os.fsync(file.fileno())
        os.replace(temporary, path)  # While it is locked, as is its removal.
      except BaseException:
        temporary.unlink(missing_ok=True)
        raise
  except BaseException as error:
    if isinstance(error, OSError) and error.filename is None:
      error.filename = str(path)  # The error of a full disk names no file.
    raise


def check_place(path, flag):
  """Refuses a path where no file can be written, before there is something to write.

  Args:
    path: The file.
    flag: The name of the flag, for the message.

  Raises:
    InputError: It is a folder, a name is too long, or a folder of its path is a file.
  """
  path, why = pathlib.Path(path), ""
  try:
    wrong = path.name in ("", "..") or len(os.fsencode(path.name)) > _LONGEST_NAME
    above = path.parent if wrong else next(place for place in path.parents if place.exists())
    wrong = wrong or path.is_dir() or not above.is_dir()
  except (OSError, ValueError) as error:  # Too long, no permission, or a NUL.
    wrong, why = True, f" ({error})"
  if wrong:
    raise errors.InputError(f"`{flag}` must name a file. Received: {str(path):.300}{why:.300}")


def write_text(path, text, sync=True):
  """Writes a text file whole; see `replacing`."""
  with replacing(path, sync) as file:
    file.write(text.encode())


@contextlib.contextmanager
def alone(path, name):
  """Keeps other processes from making the same file or folder until the block ends.

  Args:
    path: What is made. The lock file is removed at the end, and so are folders that were made for
      it and are empty.
    name: The name of the flag or argument, for the message.

  Raises:
    InputError: Another process is making it, or its folder cannot be written.
  """
  path = pathlib.Path(path)
  place = path.with_name(f".{path.name}.lock")
  made = [folder for folder in place.parents if not folder.exists()]
  try:
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _locked(place, wait=False)
  except BlockingIOError:
    raise errors.InputError(
        f"`{name}` must be free. Received: {path}, in use by another process") from None
  except OSError as error:
    raise errors.InputError(
        f"`{name}` must be in a folder that can be written. Received: {path} ({error.strerror})"
    ) from error
  try:
    yield
  finally:
    place.unlink(missing_ok=True)
    os.close(descriptor)
    with contextlib.suppress(OSError):  # It is not empty.
      for folder in made:
        folder.rmdir()


def _locked(place, wait=True):
  """Opens a file, made if missing, and locks it; returns its descriptor."""
  while True:
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
      fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
      # If not, the previous owner has renamed or removed it.
      if place.exists() and os.path.samestat(os.fstat(descriptor), place.stat()):
        return descriptor
    except BaseException:
      os.close(descriptor)
      raise
    os.close(descriptor)
