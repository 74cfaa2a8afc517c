"""Height and width of an image file from its first bytes, without decoding it."""

import os
import stat
import struct

# JPEG frame headers, the segments that carry the size: SOF0..15 less DHT, JPG and DAC.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_size(path):
  """Size of a JPEG, PNG, GIF or BMP file, told by its content and not by its name.

  Args:
    path: Path of the file.

  Returns:
    (height, width), or None if it is none of these, no regular file, or its header is broken.

  Raises:
    OSError: The file cannot be opened.
  """
  if not stat.S_ISREG(os.stat(path).st_mode):  # To open a FIFO waits for somebody who writes to it.
    return None
  with open(path, "rb") as file:
    head = file.read(32)
    try:
      if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        width, height = struct.unpack(">II", head[16:24])
      elif head[:6] in (b"GIF87a", b"GIF89a"):
        width, height = struct.unpack("<HH", head[6:10])
      elif head.startswith(b"BM"):
        width, height = struct.unpack("<ii", head[18:26])
        height = abs(height)  # Negative: rows from the top.
      elif head.startswith(b"\xff\xd8\xff"):
        height, width = _jpeg_size(file)
      else:
        return None
    except struct.error:  # The file ends too early.
      return None
  return (height, width) if height > 0 and width > 0 else None


def _jpeg_size(file):
  """Walks from segment to segment up to the frame header."""
  file.seek(2)
  while True:
    (mark,) = struct.unpack("B", file.read(1))
    if mark != 0xFF:
      return 0, 0
    while mark == 0xFF:  # Any number of fill bytes may precede a marker.
      (mark,) = struct.unpack("B", file.read(1))
    (length,) = struct.unpack(">H", file.read(2))
    if mark in _FRAMES:
      return struct.unpack(">HH", file.read(5)[1:])
    file.seek(length - 2, 1)
