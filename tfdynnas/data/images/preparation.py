"""How an encoded image becomes the pixels that a network sees: one description, one function.

It prepares all scored images, whether held, streamed or packed, and those sent to the servable.
`pixels` computes the same without TensorFlow.
"""

import dataclasses
import functools

from tfdynnas import errors
from tfdynnas import image_size
from tfdynnas.data.images import crop as crop_lib
from tfdynnas.data.images import decode
from tfdynnas.data.images import resize as resize_lib

BACKGROUNDS = {"white": 255, "black": 0, "none": 0}
ORIENTATIONS = ("exif", "stored")
MAX_PIXELS = 89_478_485  # As in Pillow: a quarter of a gigabyte when decoded.
MOST_PIXELS = 2**29 // 3  # Neither TensorFlow nor Pillow decodes more pixels of three colours.


@dataclasses.dataclass(frozen=True)
class Preparation:
  """The steps from an encoded image to pixels, in the order of the fields.

  Attributes:
    max_pixels: int, the most pixels that an image may have.
    background: "white" or "black": the colour behind transparent pixels; "none" ignores
      transparency. In a GIF, transparent pixels are always black.
    orientation: "exif" turns an image by its EXIF, "stored" does not.
    crop: "whole", or "resized": random-resized crops to train on, the middle to score on.
    size: (height, width) to resize to, given as an int or a pair; None keeps the images' size.
    resize: How to fit an image of another aspect ratio: "squash" it, "pad" it in the colour of the
      background, or "crop" its middle.
    downsample: int, side of the blocks whose mean then becomes a pixel.
    repeat: (down, across), ints: how often each pixel is then repeated.
  """

  max_pixels: int = MAX_PIXELS
  background: str = "white"
  orientation: str = "exif"
  crop: str = "whole"
  size: int | tuple[int, int] | None = None
  resize: str = "squash"
  downsample: int = 1
  repeat: tuple[int, int] = (1, 1)

  def __post_init__(self):
    object.__setattr__(self, "size", None if self.size is None else image_size.pair(self.size))
    crop_lib.check(self.crop, self.size, self.downsample, self.resize)
    for name, allowed in (
        ("background", BACKGROUNDS), ("orientation", ORIENTATIONS), ("resize", resize_lib.WAYS)
    ):
      if getattr(self, name) not in allowed:
        raise errors.InputError(
            f"`{name}` must be one of {', '.join(allowed)}. Received: {getattr(self, name)}"
        )
    if self.resize != "squash" and self.size is None:
      raise errors.InputError(f"`resize` {self.resize} needs `image_size`. Received: none")
    if not 1 <= self.max_pixels <= MOST_PIXELS:
      raise errors.InputError(
          f"`max_pixels` must be in [1, {MOST_PIXELS}]. Received: {self.max_pixels}"
      )
    if self.size is not None:
      resize_lib.check_downsample(self.size, self.downsample)

  @property
  def level(self):
    """int, the gray of the background and the padding: 0 or 255."""
    return BACKGROUNDS[self.background]

  @property
  def image_shape(self):
    """The (height, width, 3) of the result."""
    sides = zip(self.size, self.repeat)
    return (*(side // self.downsample * times for side, times in sides), 3)

  def of_size(self, size):
    """This preparation, with a size, (height, width), if it has none."""
    return self if self.size else dataclasses.replace(self, size=tuple(size))

  def decoding(self):
    """This preparation without what follows the decoding."""
    return Preparation(self.max_pixels, self.background, self.orientation)

  def identity(self):
    """List of str: the settings that change pixels, except the size, which can be chosen."""
    chosen = {"orientation": "stored", "background": "none", "resize": "squash"}
    found = {name: getattr(self, name) for name in chosen}
    return [*crop_lib.record(self.crop), *(
        f"{name}={value}" for name, value in found.items() if value != chosen[name]
    )]

  def as_dict(self):
    """The fields as a JSON-able dict."""
    lists = {"size": self.size and list(self.size), "repeat": list(self.repeat)}
    return {**dataclasses.asdict(self), **lists}


def pixels(content, preparation, key=None):
  """The pixels that a network sees of an encoded image, in TensorFlow ops.

  Args:
    content: Scalar string tensor, of a JPEG, PNG, GIF (first frame), BMP or WebP file.
    preparation: Preparation with a size.
    key: (seed, step, index) that determines the random crop of a training image; None to score.

  Returns:
    uint8 tensor [height, width, 3].
  """
  if key is None or preparation.crop == "whole":
    return _scored(preparation)(content)
  return _cropped(preparation)(content, crop_lib.draws(*key))


# Traced once for all data sets of a process: a trace takes about a second.
@functools.lru_cache(maxsize=8)
def _scored(preparation):
  """The function of `pixels` for scored images."""
  import tensorflow as tf

  def run(content):
    image = decode.rgb(content, preparation)
    if preparation.crop == "resized":
      return crop_lib.middle(image, preparation.size)
    image = resize_lib.fitted(image, preparation.size, preparation.resize, preparation.level)
    image = resize_lib.downsampled(image, preparation.downsample)
    return resize_lib.repeated(image, preparation.repeat)

  return tf.function(run, [tf.TensorSpec([], tf.string)], autograph=False)


@functools.lru_cache(maxsize=8)
def _cropped(preparation):
  """The function of `pixels` for random crops: (content, bits of `crop.draws`) -> pixels."""
  import tensorflow as tf

  def run(content, bits):
    return crop_lib.resized(decode.rgb(content, preparation, bits), preparation.size)

  signature = [tf.TensorSpec([], tf.string), tf.TensorSpec([None, 4], tf.uint32)]
  return tf.function(run, signature, autograph=False)
