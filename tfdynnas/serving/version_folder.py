"""Version folders of a served model: they appear whole or not at all, and have one writer each.

TensorFlow Serving polls <base_dir>/<name> and loads the children whose names are integers. So a
version is written beside them under another name, and renamed when it is complete.
"""

import contextlib
import errno
import fcntl
import os
import pathlib
import re
import secrets
import shutil

from tfdynnas import errors

GREATEST_VERSION = 2**63 - 1  # The server reads an int64.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_DRAFT = re.compile(r"\.tmp-\d+-\d+-[0-9a-f]+")
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


def write_version(base_dir, name, write, version=None):
  """Writes a version folder by a function; it appears when it is complete and on disk.

  Drafts of dead processes are removed first. A draft is locked while its process lives; on a file
  system without locks on folders, drafts are not removed.

  Args:
    base_dir: Folder of served models; it is made if missing.
    name: Name of the model, letters, digits and `._-`, not beginning with `.` or `-`.
    write: Function of the pathlib.Path of an empty folder, which writes the version into it.
    version: int in [1, 2**63), or None for one more than the greatest that exists.

  Returns:
    pathlib.Path, <base_dir>/<name>/<version>.

  Raises:
    InputError: The name or the version cannot be used, or the version exists.
    OSError: The folder cannot be written. On any exception, from `write` too, everything that was
      written or made here is removed.
  """
  home = _home(base_dir, name)
  _check_version(home, version)
  made = [folder for folder in (home, *home.parents) if not folder.exists()]
  draft, lock = None, None
  try:
    draft, lock = _open_draft(home, version)
    _remove_dead_drafts(home)
    write(draft)
    _sync(draft)
    return _publish(draft, home, version)
  except BaseException:
    _remove(draft, made)
    raise
  finally:
    if lock is not None:
      os.close(lock)


def versions(home):
  """The versions in a model's folder as the server reads them, a set of ints."""
  if not home.is_dir():
    return set()
  names = [entry.name for entry in home.iterdir()]
  return {int(name) for name in names if name.isascii() and name.isdecimal()}


def _home(base_dir, name):
  if not isinstance(name, str) or not _NAME.fullmatch(name):
    raise errors.InputError(
        "The name of a served model is made of letters, digits, `_`, `-` and `.`, and begins with "
        f"one of the first three. Received: {name!r}"
    )
  errors.refuse_pattern("base_dir", base_dir)
  return pathlib.Path(base_dir) / name


def _check_version(home, version):
  if version is None:
    return
  if isinstance(version, bool) or not isinstance(version, int):
    raise errors.InputError(f"`version` must be an int. Received: {version!r}")
  if not 1 <= version <= GREATEST_VERSION:
    raise errors.InputError(f"`version` must be in [1, 2**63). Received: {version}")
  if version in versions(home):
    raise _exists(home, version)


def _exists(home, version):
  return errors.InputError(
      f"A version is written once. Received: {version=}, which {home} holds already"
  )


def _next_version(home):
  number = 1 + max(versions(home), default=0)
  if number > GREATEST_VERSION:
    raise errors.InputError(f"There is no version after the greatest. Received: {home}")
  return number


def _open_draft(home, version):
  """A new folder, locked for the life of this process: (path, descriptor)."""
  for attempt in range(100):
    number = version or _next_version(home)
    draft = home / f".tmp-{number}-{os.getpid()}-{secrets.token_hex(4)}"
    try:
      home.mkdir(parents=True, exist_ok=True)
      draft.mkdir()
      lock = os.open(draft, os.O_RDONLY)
    except FileNotFoundError:  # Another export failed, and removed the folder that it had made.
      if attempt == 99:
        raise
      continue
    with contextlib.suppress(OSError):
      fcntl.flock(lock, fcntl.LOCK_EX)
    if draft.exists():  # If not, another export saw it unlocked and took it for dead.
      return draft, lock
    os.close(lock)
  raise OSError(errno.EBUSY, "No draft stays in the folder", str(home))


def _remove_dead_drafts(home):
  for entry in home.iterdir():
    if not _DRAFT.fullmatch(entry.name):
      continue
    with contextlib.suppress(OSError):  # It is in use, was just published, or has another owner.
      lock = os.open(entry, os.O_RDONLY | os.O_DIRECTORY)
      try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(entry)
      finally:
        os.close(lock)


def _sync(folder):
  """Waits until every file below a folder is on disk."""
  for place, _, files in os.walk(folder):
    for name in files:
      with open(os.path.join(place, name), "rb") as file:
        os.fsync(file.fileno())
    _sync_entries(place)


def _sync_entries(folder):
  descriptor = os.open(folder, os.O_RDONLY)
  try:
    with contextlib.suppress(OSError):  # Not every file system syncs a folder.
      os.fsync(descriptor)
  finally:
    os.close(descriptor)


def _publish(draft, home, version):
  """Renames the draft to the version, or to the next free one."""
  while True:
    number = version or _next_version(home)
    try:
      if number in versions(home):
        raise FileExistsError(errno.EEXIST, "taken")
      os.rename(draft, home / str(number))  # Fails if another export has just published it.
    except OSError as error:
      if error.errno not in _TAKEN:
        raise
      if version is not None:
        raise _exists(home, version) from None
    else:
      _sync_entries(home)
      return home / str(number)


def _remove(draft, made):
  """Removes the draft of a failed export, and the folders that it made, innermost first."""
  if draft is not None:
    shutil.rmtree(draft, ignore_errors=True)
  for folder in made:
    try:
      folder.rmdir()
    except FileNotFoundError:
      continue
    except OSError:
      return
