"""Reads files that a user names: regular ones of a size that is looked at first.

A device or a pipe may never end, or never begin; a file of the wrong kind may be too large to hold.
"""

import errno
import os
import stat

MOST_BYTES = 2**26  # What is read as a whole, and parsed: 64 MiB.
MOST_LOG_BYTES = 2**32  # The same of what the package writes line by line.


def read_text(path, most=MOST_BYTES):
  """The text of a file.

  Args:
    path: The file.
    most: Bytes that it may have.

  Raises:
    OSError: As of `read_bytes`.
    UnicodeDecodeError: It is not UTF-8.
  """
  return read_bytes(path, most).decode("utf-8")


def read_bytes(path, most=MOST_BYTES):
  """The bytes of a file.

  Args:
    path: The file.
    most: Bytes that it may have.

  Raises:
    OSError: It is not there, cannot be read, is no regular file, or is larger.
  """
  with open_bytes(path, most) as file:
    content = file.read(most + 1)  # It may have grown.
  if len(content) > most:
    raise _larger(path, most)
  return content


def open_bytes(path, most=None):
  """Opens a file for reading bytes.

  Args:
    path: The file.
    most: Bytes that it may have; None does not limit them.

  Raises:
    OSError: As of `read_bytes`.
  """
  try:
    # A pipe would wait for somebody who writes.
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
