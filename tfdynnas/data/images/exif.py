"""The orientation of an image, read from its EXIF in TensorFlow ops.

They belong to the served graph. `header.orientation` reads the same without TensorFlow.
"""

import functools

import numpy as np

_TAG = 0x0112
_SHORT = 3  # The type of the tag; the only other possible one is LONG.
_ENTRY = 12  # Bytes of a directory entry.


def orientation(content, kind, walks):
  """Looks for the orientation.

  Args:
    content: Scalar string tensor, an image file.
    kind: int32 scalar tensor, which of `walks` to take.
    walks: For each kind of file what `find` is told after the data; None if it has no EXIF.

  Returns:
    int64 scalar tensor in [1, 8], as EXIF numbers it; 1 if it is missing or unreadable.
  """
  import tensorflow as tf

  def look():
    data, none = tf.io.decode_raw(content, tf.uint8), lambda: tf.constant(-1, tf.int64)
    place = tf.switch_case(
        kind, [functools.partial(find, data, *walk) if walk else none for walk in walks]
    )
    return tf.cond(place < 0, lambda: tf.constant(1, tf.int64), lambda: _tagged(data, place))

  # A search for the word is cheaper than a walk over chunks, and rarely finds it.
  return tf.cond(_said(content), look, lambda: tf.constant(1, tf.int64))


def silent(content, preparation):
  """Whether EXIF cannot turn an image: bool scalar tensor, or True if EXIF is ignored."""
  return ~_said(content) if preparation.orientation == "exif" else True


def _said(content):
  import tensorflow as tf

  return tf.strings.regex_full_match(content, r"\C*(Exif\x00\x00|eXIf|EXIF)\C*")


def find(data, start, read, wanted):
  """Walks from chunk to chunk.

  Args:
    data: uint8 [n] tensor, a file.
    start: Where its first chunk begins.
    read: (data, place) -> (kind, place of the content, place of the next chunk), int64.
    wanted: The kind to look for.

  Returns:
    int64 scalar tensor: where the content of the first chunk of that kind begins; -1 without one.
  """
  import tensorflow as tf

  size = tf.size(data, tf.int64)

  def step(place, found):
    kind, content, following = read(data, place)
    found = tf.where(kind == wanted, content, found)
    return tf.where(following > place, following, size), found

  # A chunk has at least 8 bytes in all formats, except the markers at a JPEG's end.
  _, found = tf.while_loop(
      lambda place, found: (found < 0) & (place + 8 <= size), step,
      (tf.constant(start, tf.int64), tf.constant(-1, tf.int64)),
  )
  return found


def jpeg_segment(data, place):
  """A segment of a JPEG; its kind is the marker, then the first four bytes of the content."""
  import tensorflow as tf

  mark, kind = _number(data, place, 1), _number(data, place + 1, 1)
  end = tf.size(data, tf.int64)
  following = place + 2 + _number(data, place + 2, 2)
  following = tf.where(kind == 0xFF, place + 1, following)  # A fill byte.
  following = tf.where((mark != 0xFF) | (kind == 0xDA), end, following)  # Pixels begin.
  return kind * 2**32 + _number(data, place + 4, 4), place + 4, following


def png_chunk(data, place):
  """A chunk of a PNG: its length, four letters, the content and a checksum."""
  following = place + 12 + _number(data, place, 4)
  return _number(data, place + 4, 4), place + 8, following


def riff_chunk(data, place):
  """A chunk of a WebP: four letters, its length, the content; chunks begin at even places."""
  length = _number(data, place + 4, 4, little=True)
  return _number(data, place, 4), place + 8, place + 8 + length + length % 2


def turned(image, way):
  """Turns and mirrors an image upright, by its orientation.

  Args:
    image: Tensor [height, width, channels], as stored.
    way: Integer scalar tensor in [1, 8].

  Returns:
    Tensor, the upright image.
  """
  import tensorflow as tf

  def changed():
    upright = tf.cond(way >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
    rows, columns = _flips(way)
    upright = tf.cond(rows, lambda: tf.reverse(upright, [0]), lambda: upright)
    return tf.cond(columns, lambda: tf.reverse(upright, [1]), lambda: upright)

  return tf.cond(way == 1, lambda: image, changed)


def stored_box(box, shape, way):
  """A box of the upright image as a box of the stored image.

  Args:
    box: int32 [4]: first row, first column, height, width.
    shape: int32 [2], height and width of the upright image.
    way: Integer scalar tensor in [1, 8].

  Returns:
    int32 [4]: first row, first column, height, width.
  """
  import tensorflow as tf

  first = tf.where(tf.stack(_flips(way)), shape - box[:2] - box[2:], box[:2])
  return tf.cond(
      way >= 5, lambda: tf.gather(tf.concat([first, box[2:]], 0), [1, 0, 3, 2]),
      lambda: tf.concat([first, box[2:]], 0),
  )


def _flips(way):
  """Whether rows, and columns, are reversed, after the transposition if there is one."""
  import tensorflow as tf

  return [tf.reduce_any(tf.cast(way, tf.int32) == ways) for ways in ([3, 4, 7, 8], [2, 3, 6, 7])]


def _number(data, place, count, little=False):
  """int64: the number in `count` bytes; places past the end repeat the last byte."""
  import tensorflow as tf

  places = tf.expand_dims(place, -1) + np.arange(count)
  digits = tf.cast(tf.gather(data, tf.minimum(places, tf.size(data, tf.int64) - 1)), tf.int64)
  up = 256**np.arange(count)
  powers = np.where(little, up, up[::-1]) if isinstance(little, bool) else tf.where(
      little, up, up[::-1])
  return tf.reduce_sum(digits * powers, -1)


def _tagged(data, place):
  """The orientation in the first directory of EXIF's TIFF, which begins at `place`."""
  import tensorflow as tf

  place = tf.where(_number(data, place, 4) == 0x45786966, place + 6, place)  # After "Exif".
  little = _number(data, place, 1) == 0x49
  first = place + _number(data, place + 4, 4, little)
  count = _number(data, first, 2, little)
  entries = first + 2 + _ENTRY * tf.range(count, dtype=tf.int64)
  whole = entries + _ENTRY <= tf.size(data, tf.int64)
  tags = tf.where(whole, _number(data, entries, 2, little), 0)
  tags, entries = tf.concat([tags, [_TAG]], 0), tf.concat([entries, [0]], 0)  # 0: without.
  entry = tf.gather(entries, tf.argmax(tf.cast(tags == _TAG, tf.int32)))
  short = _number(data, entry + 2, 2, little) == _SHORT
  value = tf.where(
      short, _number(data, entry + 8, 2, little), _number(data, entry + 8, 4, little)
  )
  return tf.where((entry > 0) & (value >= 1) & (value <= 8), value, 1)
