"""Image sizes: what a size means, and smaller images by the mean of blocks of pixels."""

from tfdynnas import errors


def size_pair(image_size):
  """(height, width) from an int or a pair; None stays None.

  Raises:
    InputError: Not a positive int, nor two of them.
  """
  if image_size is None:
    return None
  pair = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
  if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
    raise errors.InputError(f"`image_size` must be one or two ints > 0. Received: {image_size}")
  return pair


def check_downsample(shape, downsample):
  """Raises InputError unless blocks of `downsample` pixels tile images of (height, width)."""
  if not (isinstance(downsample, int) and downsample >= 1):
    raise errors.InputError(f"`downsample` must be an int >= 1. Received: {downsample=}")
  if shape[0] % downsample or shape[1] % downsample:
    raise errors.InputError(
        "`downsample` must divide the images' height and width. "
        f"Received: {downsample=} for {shape[0]}x{shape[1]} images"
    )


def fitted(image, size, downsample=1):
  """One decoded image at its final size, in a tf.data map.

  Args:
    image: uint8 tensor [height, width, 3].
    size: (height, width) to resize to before the block mean, or None.
    downsample: Block side of the mean.

  Returns:
    uint8 tensor.
  """
  import tensorflow as tf

  if size is not None:
    # Antialiased bilinear: what reduces photographs without moire, and identity at equal size.
    image = tf.image.resize(image, size, antialias=True)
    image = tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)
  if downsample > 1:
    wide = tf.cast(image, tf.int32)
    total = tf.add_n([
        wide[row::downsample, column::downsample]
        for row in range(downsample) for column in range(downsample)
    ])
    image = tf.cast((total + downsample**2 // 2) // downsample**2, tf.uint8)
  return image
