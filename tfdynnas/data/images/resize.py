"""Image sizes: fitting an image to a size, downsampling by means of blocks, repeating pixels."""

from tfdynnas import errors

WAYS = ("squash", "pad", "crop")  # How to fit an image of another aspect ratio.


def check_downsample(shape, downsample):
  """Raises InputError unless blocks of `downsample` pixels tile images of (height, width)."""
  if not (isinstance(downsample, int) and downsample >= 1):
    raise errors.InputError(f"`downsample` must be an int >= 1. Received: {downsample=}")
  if shape[0] % downsample or shape[1] % downsample:
    raise errors.InputError(
        "`downsample` must divide the images' height and width. "
        f"Received: {downsample=} for {shape[0]}x{shape[1]} images"
    )


def inner(sides, size, xp):
  """Size of an image that is resized to fit into `size` and keeps its aspect ratio.

  Args:
    sides: int64 [2], height and width of the image.
    size: int64 [2], the size to fit into.
    xp: numpy or tensorflow, the module of both arrays.

  Returns:
    int64 [2].
  """
  # A slice with a negative step would stop TensorFlow's graph optimiser, for the whole graph.
  other, turned = (xp.stack([pair[1], pair[0]]) for pair in (size, sides))
  return xp.minimum(size, _divided(sides * other, turned, xp))


def middle_box(sides, size, xp):
  """Size of the largest box in an image with the aspect ratio of `size`; arguments as `inner`."""
  other, turned = (xp.stack([pair[1], pair[0]]) for pair in (sides, size))
  return xp.minimum(sides, _divided(other * size, turned, xp))


def _divided(whole, by, xp):
  """Rounded quotients of integers, halves up, >= 1."""
  return xp.maximum((2 * whole + by) // (2 * by), xp.ones_like(by))


def fitted(image, size, way="squash", level=0):
  """A decoded image at its final size, in a tf.data map.

  Args:
    image: uint8 tensor [height, width, 3].
    size: (height, width), or None.
    way: One of WAYS.
    level: int, the gray of the padding.

  Returns:
    uint8 tensor [height, width, 3].
  """
  import tensorflow as tf

  if size is None:
    return image
  sides, aims = tf.shape(image, tf.int64)[:2], tf.constant(size, tf.int64)
  if way == "crop":
    box = middle_box(sides, aims, tf)
    first = (sides - box) // 2
    image = image[first[0]:first[0] + box[0], first[1]:first[1] + box[1]]
  if way == "pad":
    image = squashed(image, tf.cast(inner(sides, aims, tf), tf.int32))
    before = (size - tf.shape(image)[:2]) // 2
    around = tf.stack([before, size - tf.shape(image)[:2] - before], 1)
    image = tf.pad(image, tf.concat([around, [[0, 0]]], 0), constant_values=level)
  else:
    image = squashed(image, size)
  return tf.ensure_shape(image, (*size, 3))


def squashed(image, size):
  """An image at another size: antialiased bilinear, which shrinks photographs without moire."""
  import tensorflow as tf

  def changed():
    other = tf.image.resize(image, size, antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(other), 0, 255), tf.uint8)

  same = tf.reduce_all(tf.shape(image)[:2] == size)  # Then resizing would change nothing.
  return tf.cond(same, lambda: image, changed)


def downsampled(image, downsample):
  """The rounded means of blocks of an image.

  Args:
    image: uint8 tensor [height, width, 3].
    downsample: int, side of the blocks.

  Returns:
    uint8 tensor.
  """
  import tensorflow as tf

  if downsample == 1:
    return image
  wide = tf.cast(image, tf.int32)
  total = tf.add_n([
      wide[row::downsample, column::downsample]
      for row in range(downsample) for column in range(downsample)
  ])
  return tf.cast((total + downsample**2 // 2) // downsample**2, tf.uint8)


def repeated(image, times):
  """An image with each pixel repeated `times`, (down, across)."""
  import tensorflow as tf

  down, across = times
  return image if times == (1, 1) else tf.repeat(tf.repeat(image, down, 0), across, 1)
