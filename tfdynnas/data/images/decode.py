"""Decodes images to the pixels that viewers show, in TensorFlow ops: for training and the servable.

TensorFlow 2.21 alone ignores transparency and EXIF, takes palette indices of a bitmap for grays,
cannot decode a transparent WebP to three colours, and writes out of bounds when it decodes an
animated WebP without a given number of channels.
"""

import functools

from tfdynnas.data.images import crop
from tfdynnas.data.images import exif

# Bytes beyond ASCII match any: a TensorFlow pattern takes `\x89` for two bytes of UTF-8.
_BEGIN = (r"\CPNG\C*", r"GIF8\C*", r"BM\C*", r"RIFF\C{4}WEBP\C*")
_HEAD = 54  # Bytes that hold the image size in all formats except JPEG.
_PNG_KEY = 0x74524E53  # "tRNS": a transparent colour.
# Of each kind of file what `exif.find` is told, or None: where its chunks begin, how they are read,
# and the number of the one with EXIF: of a JPEG the marker, then "Exif"; "eXIf"; "EXIF".
_EXIF = (
    (2, exif.jpeg_segment, 0xE1 << 32 | 0x45786966), (8, exif.png_chunk, 0x65584966), None, None,
    (12, exif.riff_chunk, 0x45584946), None,
)


def rgb(content, preparation, bits=None):
  """Decodes an image, in a tf.data map or a served graph.

  Args:
    content: Scalar string tensor, of a JPEG, PNG, GIF (first frame), BMP or WebP file.
    preparation: Preparation, whose `max_pixels`, `orientation` and `background` are used.
    bits: Those of `crop.draws`, for a random crop of the upright image; None for the whole image.

  Returns:
    uint8 tensor [height, width, 3]. The op fails for other or broken files, and for images with too
    many pixels.
  """
  import tensorflow as tf

  begin, head = _begin(content)
  jpeg = tf.io.is_jpeg(content)
  png = tf.strings.regex_full_match(begin, _BEGIN[0])
  with_care = _with_care(preparation.decoding(), bits is not None)
  given = (content,) if bits is None else (content, bits)
  image = tf.switch_case(tf.where(jpeg, 0, tf.where(png, 1, 2)), [
      lambda: tf.cond(
          _jpeg_is_simple(content, preparation), lambda: _simple_jpeg(content, bits),
          lambda: with_care(*given),
      ),
      lambda: tf.cond(
          _png_is_simple(content, head, preparation), lambda: _cut(_plain(content), bits),
          lambda: with_care(*given),
      ),
      lambda: with_care(*given),
  ])
  image.set_shape([None, None, 3])
  return image


def _begin(content):
  """The first bytes of a file: as a string, and as int64 [_HEAD]."""
  import tensorflow as tf

  begin = tf.strings.substr(content, 0, _HEAD)
  return begin, tf.cast(tf.io.decode_raw(begin, tf.uint8, fixed_length=_HEAD), tf.int64)


def _jpeg_is_simple(content, preparation):
  """Whether a JPEG is small enough, and has no EXIF that could turn it."""
  import tensorflow as tf

  shape = tf.cast(tf.io.extract_jpeg_shape(content)[:2], tf.int64)
  return (shape[0] * shape[1] <= preparation.max_pixels) & exif.silent(content, preparation)


def _png_is_simple(content, head, preparation):
  """Whether a PNG is small enough, and has no transparency and no EXIF that could turn it."""
  import tensorflow as tf

  pixels = _number(head[16:20]) * _number(head[20:24])
  opaque = (head[25] != 4) & (head[25] != 6)
  opaque &= ~tf.strings.regex_full_match(content, r"\C*tRNS\C*")
  return (pixels <= preparation.max_pixels) & opaque & exif.silent(content, preparation)


def _simple_jpeg(content, bits):
  """Decodes the wanted box alone."""
  import tensorflow as tf

  if bits is None:
    return _plain(content)
  box = crop.window(*tf.unstack(tf.io.extract_jpeg_shape(content)[:2]), bits)
  return tf.image.decode_and_crop_jpeg(content, box, channels=3)


# Most files only need decoding, and the ops for the others would take longer than a small image
# even if they do not run: so they are one op, traced once for all sizes.
@functools.lru_cache(maxsize=8)
def _with_care(preparation, cropped):
  """The function of content, and of bits if `cropped`, for files of any format.

  They may have transparency, EXIF and palettes.
  """
  import tensorflow as tf

  def run(content, bits=None):
    begin, head = _begin(content)
    jpeg = tf.io.is_jpeg(content)
    kinds = [jpeg, *(tf.strings.regex_full_match(begin, kind) for kind in _BEGIN), True]
    kind = tf.argmax(tf.cast(kinds, tf.int32), output_type=tf.int32)
    way = _way(content, kind, preparation)
    given = content, head, preparation
    stored = tf.switch_case(kind, [
        lambda: _jpeg(content, preparation, bits, way),
        lambda: _png(*given), lambda: _gif(*given), lambda: _bmp(*given), lambda: _webp(*given),
        lambda: _plain(content),  # It raises TensorFlow's own error.
    ])
    upright = exif.turned(stored, way)
    return upright if bits is None else tf.cond(
        jpeg, lambda: upright, lambda: _cut(upright, bits))

  signature = [tf.TensorSpec([], tf.string), tf.TensorSpec([None, 4], tf.uint32)][:1 + cropped]
  return tf.function(
      run, signature, autograph=False, experimental_attributes={"_noinline": True}
  )


def _plain(content):
  import tensorflow as tf

  return tf.io.decode_image(content, channels=3, expand_animations=False)


def _cut(image, bits):
  """The wanted box of a decoded image."""
  import tensorflow as tf

  if bits is None:
    return image
  shape = tf.shape(image)
  box = crop.window(shape[0], shape[1], bits)
  return image[box[0]:box[0] + box[2], box[1]:box[1] + box[3]]


def _jpeg(content, preparation, bits, way):
  """Decodes the wanted box of the upright image alone, as it is stored."""
  import tensorflow as tf

  shape = tf.io.extract_jpeg_shape(content)[:2]
  content = _allowed(content, shape, preparation)
  if bits is None:
    return _plain(content)
  seen = tf.where(way >= 5, tf.gather(shape, [1, 0]), shape)
  box = exif.stored_box(crop.window(seen[0], seen[1], bits), seen, way)
  return tf.image.decode_and_crop_jpeg(content, box, channels=3)


def _png(content, head, preparation):
  import tensorflow as tf

  content = _allowed(content, [_number(head[16:20]), _number(head[20:24])], preparation)

  def keyed():  # A search for the word is cheaper than a walk over chunks, and rarely finds it.
    return tf.cond(
        tf.strings.regex_full_match(content, r"\C*tRNS\C*"),
        lambda: exif.find(tf.io.decode_raw(content, tf.uint8), 8, exif.png_chunk, _PNG_KEY) >= 0,
        lambda: False,
    )

  # Only if it is transparent: for other files TensorFlow fills the fourth channel with the largest
  # value of their few bits, which is not opaque.
  clear = tf.cond((head[25] == 4) | (head[25] == 6), lambda: True, keyed)
  return _laid(content, clear, preparation)


def _gif(content, head, preparation):
  return _plain(_allowed(content, [_little(head[8:10]), _little(head[6:8])], preparation))


def _bmp(content, head, preparation):
  import tensorflow as tf

  height, width = (tf.bitcast(tf.cast(_little(head[at:at + 4]), tf.uint32), tf.int32)
                   for at in (22, 18))
  content = _allowed(content, [abs(height), width], preparation)
  bits, packed = _little(head[28:30]), _little(head[30:34])
  plain = (packed == 0) | (packed == 3) & (bits == 32)
  check = tf.debugging.Assert(plain, ["A bitmap must not be compressed"], name="bitmap")
  with tf.control_dependencies([check]):
    content = tf.identity(content)

  def paletted():
    data = tf.io.decode_raw(content, tf.uint8)
    first = 14 + _little(head[14:18])
    colours = tf.reshape(data[first:_little(head[10:14])], [-1, 4])
    colours = tf.gather(colours, [2, 1, 0], axis=1)
    places = tf.cast(tf.io.decode_image(content, expand_animations=False), tf.int32)
    return tf.gather(colours, tf.minimum(places[..., 0], tf.shape(colours)[0] - 1))

  if preparation.background == "none":
    return _plain(content)
  return tf.cond(bits == 8, paletted, lambda: _plain(content))


def _webp(content, head, preparation):
  import tensorflow as tf

  sizes = [  # Of lossy, lossless and extended files.
      lambda: [_little(head[at:at + 2]) % 2**14 for at in (28, 26)],
      lambda: [1 + _little(head[21:25]) // 2**shift % 2**14 for shift in (14, 0)],
      lambda: [1 + _little(head[at:at + 3]) for at in (27, 24)],
  ]
  kind = tf.where(head[15] == ord("L"), 1, tf.where(head[15] == ord("X"), 2, 0))
  content = _allowed(content, tf.switch_case(kind, sizes), preparation)
  moves = (kind == 2) & (head[20] // 2 % 2 == 1)
  flags = tf.where(kind == 1, head[24], tf.where(kind == 2, head[20], 0))
  content = tf.cond(moves, lambda: _said_clear(content, head[20]), lambda: content)
  return _laid(content, moves | (flags // 16 % 2 == 1), preparation)


def _said_clear(content, flags):
  """An animated WebP, marked as transparent; TensorFlow decodes no other."""
  import tensorflow as tf

  byte = tf.constant([bytes([value | 16]) for value in range(256)])[flags]
  return tf.strings.join(
      [tf.strings.substr(content, 0, 20), byte, tf.strings.substr(content, 21, 2**31 - 1)]
  )


def _allowed(content, shape, preparation):
  """The content; the op fails, before decoding, if the header has too many pixels."""
  import tensorflow as tf

  pixels = tf.reduce_prod(tf.cast(shape, tf.int64))
  check = tf.debugging.assert_less_equal(
      pixels, tf.constant(preparation.max_pixels, tf.int64),
      f"Every image must have at most {preparation.max_pixels:,} pixels"
  )
  with tf.control_dependencies([check]):
    return tf.identity(content)


def _way(content, kind, preparation):
  import tensorflow as tf

  if preparation.orientation == "stored":
    return tf.constant(1, tf.int64)
  return exif.orientation(content, kind, _EXIF)


def _laid(content, clear, preparation):
  """Decodes an image and lays it on the background where it is `clear`, a bool scalar."""
  import tensorflow as tf

  def over():
    image = tf.io.decode_image(content, channels=4, expand_animations=False)
    if preparation.background == "none":
      return image[..., :3]
    wide = tf.cast(image, tf.int32)
    opaque = wide[..., 3:]
    mixed = wide[..., :3] * opaque + preparation.level * (255 - opaque)
    return tf.cast((mixed + 127) // 255, tf.uint8)

  return tf.cond(clear, over, lambda: _plain(content))


def _number(digits):
  """int64 scalar of big-endian bytes, int64 [n]."""
  powers = reversed(range(digits.shape[0]))
  return sum(digits[place] * 256**power for place, power in enumerate(powers))


def _little(digits):
  """int64 scalar of little-endian bytes, int64 [n]."""
  return sum(digits[place] * 256**place for place in range(digits.shape[0]))
