"""Reads files that a user names, if they are regular files of at most a given size.

A device or a pipe may block or never end; a file named by mistake may not fit into memory.
"""

import errno
import os
import stat

MOST_BYTES = 2**26  # Of a file that is parsed as a whole: 64 MiB.
MOST_LOG_BYTES = 2**32  # Of a file that the package writes line by line: 4 GiB.


def read_text(path, most=MOST_BYTES):
  """The text of a file.

  Args:
    path: The file.
    most: Limit of its size, in bytes.

  Raises:
    OSError: See `read_bytes`.
    UnicodeDecodeError: It is not UTF-8.
  """
  return read_bytes(path, most).decode("utf-8")


def read_bytes(path, most=MOST_BYTES):
  """The bytes of a file.

  Args:
    path: The file.
    most: Limit of its size, in bytes.

  Raises:
    OSError: It is missing, cannot be read, is no regular file, or is too large.
  """
  with open_bytes(path, most) as file:
    content = file.read(most + 1)  # It may have grown since its size was checked.
  if len(content) > most:
    raise _larger(path, most)
  return content


def open_bytes(path, most=None):
  """Opens a file for reading bytes.

  Args:
    path: The file.
    most: Limit of its size, in bytes; None for no limit.

  Raises:
    OSError: See `read_bytes`.
  """
  try:
    # Without O_NONBLOCK, a pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
  except ValueError as error:  # NUL in the name.
    raise OSError(errno.EINVAL, str(error), repr(path)) from error
  try:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
      raise OSError(errno.EINVAL, "Not a regular file", str(path))
    if most is not None and status.st_size > most:
      raise _larger(path, most)
    return open(descriptor, "rb")
  except BaseException:
    os.close(descriptor)
    raise


def _larger(path, most):
  return OSError(errno.EFBIG, f"More than {most:,} bytes", str(path))
