"""Images to pixels without TensorFlow: `preparation.pixels` by Pillow and numpy.

PNG, BMP, GIF and WebP give the same pixels as with TensorFlow. JPEG does not: TensorFlow uses
libjpeg's fast transform, Pillow its accurate one.
"""

import functools
import io

import numpy as np

from tfdynnas.data.images import extensions
from tfdynnas.data.images import header
from tfdynnas.data.images import resize


def prepared(content, preparation):
  """The pixels that a network sees of an encoded image.

  Args:
    content: bytes of a JPEG, PNG, GIF (first frame), BMP or WebP file.
    preparation: Preparation of whole images.

  Returns:
    uint8 [height, width, 3].

  Raises:
    ValueError: It cannot be decoded, or has too many pixels.
  """
  return fitted(decoded(content, preparation), preparation)


def decoded(content, preparation):
  """Decodes one image; see `decode.rgb`.

  Args:
    content: bytes of an image file, as for `prepared`.
    preparation: Preparation, whose `max_pixels`, `orientation` and `background` are used.

  Returns:
    uint8 [height, width, 3]; gray becomes three equal colours.

  Raises:
    ValueError: It cannot be decoded, or has too many pixels.
  """
  from PIL import Image

  try:
    with Image.open(io.BytesIO(content), formats=extensions.READ) as image:
      width, height = image.size  # From the header: nothing is decoded yet.
      if height * width > preparation.max_pixels:
        raise ValueError(f"{height}x{width}, more than {preparation.max_pixels:,} pixels")
      found = _rgb(image, preparation)
  except (OSError, SyntaxError, Image.DecompressionBombError) as error:
    raise ValueError(str(error)) from error
  turn = preparation.orientation == "exif"
  return turned(found, header.orientation(io.BytesIO(content)) if turn else 1)


def _rgb(image, preparation):
  """Pillow's image as an array [height, width, 3]."""
  if image.mode.startswith("I"):  # 16-bit gray, whose upper half Pillow would clip.
    return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=-1)
  clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
  if preparation.background == "none" or image.format == "BMP" or not clear:
    return np.array(image.convert("RGB"))
  wide = np.array(image.convert("RGBA")).astype(np.int32)
  opaque, level = wide[..., 3:], 0 if image.format == "GIF" else preparation.level
  return ((wide[..., :3] * opaque + level * (255 - opaque) + 127) // 255).astype(np.uint8)


def turned(image, way):
  """Turns and mirrors an image upright, by its orientation; see `exif.turned`."""
  image = image.swapaxes(0, 1) if way >= 5 else image
  image = image[::-1] if way in (3, 4, 7, 8) else image
  return image[:, ::-1] if way in (2, 3, 6, 7) else image


def png(image):
  """Encodes a uint8 array, [height, width] or [height, width, 3], as the bytes of a PNG file."""
  from PIL import Image

  content = io.BytesIO()
  Image.fromarray(image).save(content, "PNG", optimize=True)
  return content.getvalue()


def fitted(image, preparation):
  """A decoded image at its final size; see `resize.fitted` and `resize.downsampled`.

  Args:
    image: uint8 [height, width, 3].
    preparation: Preparation, whose `size`, `resize`, `downsample` and `repeat` are used.

  Returns:
    uint8 array.
  """
  size, downsample = preparation.size, preparation.downsample
  if size is not None:
    sides, aims = np.array(image.shape[:2]), np.array(size)
    if preparation.resize == "crop":
      box = resize.middle_box(sides, aims, np)
      first = (sides - box) // 2
      image = image[first[0]:first[0] + box[0], first[1]:first[1] + box[1]]
    if preparation.resize == "pad":
      image = _squashed(image, tuple(resize.inner(sides, aims, np)))
      before = (aims - image.shape[:2]) // 2
      around = np.stack([before, aims - image.shape[:2] - before], 1)
      image = np.pad(image, [*around, (0, 0)], constant_values=preparation.level)
    else:
      image = _squashed(image, size)
  if downsample > 1:
    height, width = (side // downsample for side in image.shape[:2])
    blocks = image.reshape(height, downsample, width, downsample, 3).sum((1, 3), dtype=np.int32)
    image = ((blocks + downsample**2 // 2) // downsample**2).astype(np.uint8)
  down, across = preparation.repeat
  return image.repeat(down, 0).repeat(across, 1)


def _squashed(image, size):
  if tuple(size) == image.shape[:2]:
    return image
  rows, columns = (_weights(*sides) for sides in zip(image.shape, size))
  resized = np.einsum("ya,abc,xb->yxc", rows, image.astype(np.float32), columns, optimize=True)
  return np.clip(np.round(resized), 0, 255).astype(np.uint8)


@functools.lru_cache(maxsize=256)
def _weights(old, new):
  """float32 [new, old]: the weights of an antialiased bilinear resize of one side."""
  scale = max(old / new, 1.0)
  centers = (np.arange(new) + 0.5) * (old / new)
  distance = np.abs(np.arange(old) + 0.5 - centers[:, None]) / scale
  weights = np.maximum(1 - distance, 0).astype(np.float32)
  return weights / weights.sum(1, keepdims=True)
