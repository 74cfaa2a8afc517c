"""The header of an image file: height, width and orientation, without decoding the pixels.

They are read as in the served graph (`decode`, `exif`). Pillow would read the orientation from XMP
too, decode a PNG to look for a late eXIf chunk, and read a WebP whole.
"""

import os
import stat
import struct

# JPEG frame headers, the segments that hold the size: SOF0..15 without DHT, JPG and DAC.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA  # Where a JPEG's segments end and its pixels begin.
_ORIENTATION = 0x0112  # The tag of EXIF.
_SHORT, _LONG = 3, 4  # Its types.


def image_size(path):
  """Size of a JPEG, PNG, GIF, BMP or WebP file, recognised by its content, not by its name.

  Args:
    path: Path of the file.

  Returns:
    (height, width) as stored; None if it is no such file, no regular file, or its header is broken.

  Raises:
    OSError: The file cannot be opened.
  """
  if not stat.S_ISREG(os.stat(path).st_mode):  # Opening a FIFO would wait for a writer.
    return None
  with open(path, "rb") as file:
    return _stored_size(file)


def _stored_size(file):
  head = file.read(54)
  try:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
      width, height = struct.unpack(">II", head[16:24])
    elif head[:6] in (b"GIF87a", b"GIF89a"):
      width, height = struct.unpack("<HH", head[6:10])
    elif head.startswith(b"BM"):
      height, width = _bmp_size(head)
    elif head.startswith(b"\xff\xd8\xff"):
      frames = (start for mark, start, _ in _jpeg_segments(file) if mark in _FRAMES)
      file.seek(next(frames, file.seek(0, 2)) + 1)  # Past the end if there is no frame.
      height, width = struct.unpack(">HH", file.read(4))
    elif head.startswith(b"RIFF") and head[8:12] == b"WEBP":
      height, width = _webp_size(head)
    else:
      return None
  except struct.error:  # The file ends too early.
    return None
  return (height, width) if height > 0 and width > 0 else None


def displayed_size(path):
  """Size of a file as viewers show it, turned by its EXIF; otherwise as `image_size`."""
  found = image_size(path)
  if found:
    with open(path, "rb") as file:
      return found[::-1] if orientation(file) >= 5 else found
  return None


def orientation(file):
  """The orientation in the EXIF of an image file.

  Args:
    file: Seekable binary file of an image.

  Returns:
    int in [1, 8], as EXIF numbers it; 1, as stored, if it is missing or unreadable.
  """
  file.seek(0)
  head = file.read(12)
  if head.startswith(b"\xff\xd8\xff"):
    found = ((start, length) for mark, start, length in _jpeg_segments(file) if mark == 0xE1)
  elif head.startswith(b"\x89PNG"):
    found = _chunks(file, 8, ">I4s", b"eXIf")
  elif head.startswith(b"RIFF"):
    found = _chunks(file, 12, "<4sI", b"EXIF")
  else:
    return 1
  for start, length in found:
    file.seek(start)
    body = file.read(length)
    if head.startswith(b"\xff\xd8\xff") and not body.startswith(b"Exif\0\0"):
      continue  # XMP, which has the same marker.
    return _tagged(body.removeprefix(b"Exif\0\0"))
  return 1


def _bmp_size(head):
  """The size of a bitmap, if TensorFlow decodes it: 8, 24 or 32 bits a pixel, not compressed."""
  size, width, height, _, bits, compression = struct.unpack("<IiiHHI", head[14:34])
  plain = compression == 0 or compression == 3 and bits == 32
  good = size >= 40 and bits in (8, 24, 32) and plain
  return (abs(height), width) if good else (0, 0)  # Negative: rows from the top.


def _webp_size(head):
  kind = head[12:16]
  if kind == b"VP8 ":
    width, height = (side & 0x3FFF for side in struct.unpack("<HH", head[26:30]))
  elif kind == b"VP8L":
    (bits,) = struct.unpack("<I", head[21:25])
    width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
  elif kind == b"VP8X":
    width, height = (int.from_bytes(head[at:at + 3], "little") + 1 for at in (24, 27))
  else:
    return 0, 0
  return height, width


def _jpeg_segments(file):
  """Yields (marker, place of the content, its length) up to the scan, or to a broken segment."""
  place = 2
  while True:
    file.seek(place)
    mark, marked = file.read(1), place
    while mark == b"\xff":  # Any number of fill bytes may precede a marker.
      place, mark = place + 1, file.read(1)
    length = file.read(2)
    if place == marked or not mark or len(length) < 2 or mark[0] == _SCAN:
      return
    (length,) = struct.unpack(">H", length)
    yield mark[0], place + 3, length - 2
    place += 1 + length


def _chunks(file, place, layout, name):
  """Yields (place of the content, its length) of the chunks with a name."""
  while True:
    file.seek(place)
    head = file.read(8)
    if len(head) < 8:
      return
    fields = struct.unpack(layout, head)
    length, kind = fields if layout[0] == ">" else fields[::-1]
    if kind == name:
      yield place + 8, length
    # PNG chunks end with a checksum; RIFF chunks begin at even places.
    place += 12 + length if layout[0] == ">" else 8 + length + length % 2


def _tagged(body):
  """The orientation in the first directory of EXIF's TIFF."""
  order = {b"II": "<", b"MM": ">"}.get(body[:2])
  try:
    (first,) = struct.unpack_from(order + "I", body, 4)
    (count,) = struct.unpack_from(order + "H", body, first)
    for entry in range(first + 2, first + 2 + 12 * count, 12):
      tag, kind = struct.unpack_from(order + "HH", body, entry)
      if tag == _ORIENTATION:
        layout = {_SHORT: "H", _LONG: "I"}[kind]
        (value,) = struct.unpack_from(order + layout, body, entry + 8)
        return value if 1 <= value <= 8 else 1
  except (struct.error, TypeError, KeyError):
    pass
  return 1
