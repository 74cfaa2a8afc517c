"""Photographs to one size: random-resized crops to train on, the middle to score on.

Source: the usual ImageNet preprocessing. A crop has 8 to 100 % of the area and sides of 3:4 to 4:3;
if ten tries fail, it is the largest in the middle. To score, the short side becomes
size * 256 / 224, and the middle is cut out. Bilinear, with antialiasing if the image shrinks.
"""

import math

from tfdynnas import errors
from tfdynnas.data.images import resize

CROPS = ("whole", "resized")
IMAGENET = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # Mean, std, in pixel units.
IMAGENET_NAMES = "n01440764", "n15075141"  # The first and the last class.
_AREA = (0.08, 1.0)
_RATIO = (3 / 4, 4 / 3)  # Width over height.
_TRIES = 10
_DRAWS = 0x63726F70  # First counter of this use of the hash, "crop".


def check(crop, image_size, downsample=1, resize_as="squash"):
  """Raises InputError unless images can be cut like this.

  Args:
    crop: "whole" or "resized".
    image_size: Image size as given by the user, or None.
    downsample: Side of the blocks whose mean becomes a pixel.
    resize_as: How an image of another aspect ratio is resized.
  """
  if crop not in CROPS:
    raise errors.InputError(f"`crop` must be one of {', '.join(CROPS)}. Received: {crop}")
  if crop == "resized" and (image_size is None or downsample != 1 or resize_as != "squash"):
    raise errors.InputError(
        "`crop` resized needs `image_size`, `downsample` 1 and `resize` squash. "
        f"Received: {image_size=}, {downsample=}, resize={resize_as}"
    )


def record(crop):
  """The entries for the record of a set: none for whole images."""
  return {} if crop == "whole" else {"crop": crop}


def constants(crop, names):
  """The usual (mean, std) of ImageNet, if the classes are its 1000 synsets; else None.

  The constants of whole images are measured, at their own size.
  """
  imagenet = len(names) == 1000 and (names[0], names[-1]) == IMAGENET_NAMES
  return IMAGENET if crop == "resized" and imagenet else None


def draws(seed, step, index):
  """Random bits for the tries of an image's crop, a function of (seed, step, index) alone.

  Args:
    seed: Python int in [0, 2**32).
    step: Integer scalar, the global step.
    index: Integer scalar, the identity of the image.

  Returns:
    uint32 [tries, 4]: area, ratio, row, column.
  """
  import tensorflow as tf

  from tfdynnas import hashing  # Late, like TensorFlow, since it imports Keras.

  uses = tf.reshape(tf.range(4 * _TRIES), [_TRIES, 4])
  return hashing.uniform_uint32(seed, _DRAWS, step, index, uses)


def window(height, width, bits):
  """The random crop of an image.

  Args:
    height: int32 scalar.
    width: int32 scalar.
    bits: uint32 [tries, 4], from `draws`.

  Returns:
    int32 [4]: first row, first column, height, width. The first try that fits; else the largest
    crop of a ratio within the bounds, in the middle.
  """
  import tensorflow as tf

  share = tf.cast(bits, tf.float64) / 2.0**32
  sides = tf.cast(tf.stack([height, width]), tf.float64)
  low, high = _AREA
  area = sides[0] * sides[1] * (low + (high - low) * share[:, 0])
  low, high = (math.log(ratio) for ratio in _RATIO)
  ratio = tf.exp(low + (high - low) * share[:, 1])
  tried = tf.round(tf.stack([tf.sqrt(area / ratio), tf.sqrt(area * ratio)], 1))  # [tries, 2]
  fits = tf.reduce_all((tried >= 1) & (tried <= sides), 1)
  first = tf.argmax(tf.cast(fits, tf.int32))
  random = tf.floor(share[first, 2:] * (sides - tried[first] + 1)), tried[first]
  largest = tf.minimum(sides, tf.round(tf.gather(sides, [1, 0]) * [1 / _RATIO[0], _RATIO[1]]))
  middle = (sides - largest) // 2, largest
  return tf.cast(tf.where(fits[first], tf.concat(random, 0), tf.concat(middle, 0)), tf.int32)


def middle(image, size):
  """The middle of an image, which is scored.

  Args:
    image: uint8 tensor [height, width, 3].
    size: (height, width) of the result.

  Returns:
    uint8 tensor.
  """
  import tensorflow as tf

  sides, aims = tf.shape(image)[:2], [round(side * 256 / 224) for side in size]
  # The smallest image of the same ratio that covers the aims; if these are square, its short side
  # equals them.
  covering = tf.maximum(aims, sides * aims[::-1] // tf.gather(sides, [1, 0]))
  image = resized(image, covering)
  first = tf.cast(tf.round((covering - size) / 2), tf.int32)
  return image[first[0]:first[0] + size[0], first[1]:first[1] + size[1]]


def resized(image, size):
  """As `resize.squashed`, but faster if the image grows, and then equal except for rounding."""
  import tensorflow as tf

  def enlarged():
    larger = tf.image.resize(image, size)
    return tf.cast(tf.round(larger), tf.uint8)

  more = tf.reduce_all(tf.shape(image)[:2] <= size)
  return tf.cond(more, enlarged, lambda: resize.squashed(image, size))
