"""Images to pixels without TensorFlow: Pillow decodes, numpy resizes as `resize.fitted` does.

PNG, BMP and GIF come out in the same pixels as from TensorFlow. JPEG does not: TensorFlow takes
libjpeg's fast transform, Pillow its accurate one.
"""

import functools
import io

import numpy as np

from tfdynnas import errors


def decoded(content):
  """Decodes one image.

  Args:
    content: bytes of a JPEG, PNG, GIF (first frame) or BMP file.

  Returns:
    uint8 [height, width, 3]; gray becomes three equal colours, and transparency is left out.

  Raises:
    InputError: Pillow is missing.
    ValueError: It cannot be decoded.
  """
  image_lib = pillow()
  try:
    with image_lib.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF", "BMP")) as image:
      if image.mode.startswith("I"):  # Gray of 16 bits, of which Pillow would clip the upper half.
        return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=-1)
      return np.array(image.convert("RGB"))
  except (OSError, SyntaxError, image_lib.DecompressionBombError) as error:
    raise ValueError(str(error)) from error


def png(image):
  """Encodes a uint8 array, [height, width] or [height, width, 3], as the bytes of a PNG file."""
  content = io.BytesIO()
  pillow().fromarray(image).save(content, "PNG", optimize=True)
  return content.getvalue()


def pillow():
  """Pillow's module of images, imported when it is needed.

  Raises:
    InputError: It is not installed.
  """
  try:
    from PIL import Image
  except ImportError:
    raise errors.InputError(
        "Packed files are read with Pillow, which is not installed. "
        "Run: pip install tfdynnas[packed]"
    ) from None
  return Image


def fitted(image, size, downsample=1):
  """One decoded image at its final size; see `resize.fitted`.

  Args:
    image: uint8 [height, width, 3].
    size: (height, width) to resize to before the block mean, or None.
    downsample: Block side of the mean.

  Returns:
    uint8 array.
  """
  if size is not None and size != image.shape[:2]:
    rows, columns = (_weights(*sides) for sides in zip(image.shape, size))
    resized = np.einsum("ya,abc,xb->yxc", rows, image.astype(np.float32), columns, optimize=True)
    image = np.clip(np.round(resized), 0, 255).astype(np.uint8)
  if downsample > 1:
    height, width = (side // downsample for side in image.shape[:2])
    blocks = image.reshape(height, downsample, width, downsample, 3).sum((1, 3), dtype=np.int32)
    image = ((blocks + downsample**2 // 2) // downsample**2).astype(np.uint8)
  return image


@functools.lru_cache(maxsize=256)
def _weights(old, new):
  """float32 [new, old]: what an antialiased bilinear resize of one side takes from each pixel."""
  scale = max(old / new, 1.0)
  centers = (np.arange(new) + 0.5) * (old / new)
  distance = np.abs(np.arange(old) + 0.5 - centers[:, None]) / scale
  weights = np.maximum(1 - distance, 0).astype(np.float32)
  return weights / weights.sum(1, keepdims=True)
