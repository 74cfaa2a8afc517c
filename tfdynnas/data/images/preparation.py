"""How an encoded image becomes the pixels that a network sees: one description, one function.

What is scored is prepared by it, whether held, streamed or packed, and so is what the servable is
sent. `pixels` computes the same without TensorFlow.
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
MAX_PIXELS = 89_478_485  # As Pillow: decoded, a quarter of a gigabyte.
MOST_PIXELS = 2**29 // 3  # Of three colours, more are decoded neither by TensorFlow nor by Pillow.


@dataclasses.dataclass(frozen=True)
class Preparation:
  """What is done to an encoded image, in the order of the fields.

  Attributes:
    max_pixels: int, the most that an image may have to be decoded.
    background: "white" or "black": what transparent pixels are laid on; "none" leaves
      transparency out. Of a GIF they are black whatever it says.
    orientation: "exif" turns an image as its EXIF says, "stored" does not.
    crop: "whole", or "resized": random-resized crops to train on, the middle to score on.
    size: (height, width) to come to, of an int or a pair; None keeps what the images have.
    resize: What is done where the ratio of the sides is another: "squash" the image, "pad" it in
      the colour of the background, or "crop" its middle.
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
    """int, the gray that transparent pixels, and what is padded, have: 0 or 255."""
    return BACKGROUNDS[self.background]

  @property
  def image_shape(self):
    """(height, width, 3) of what comes out."""
    sides = zip(self.size, self.repeat)
    return (*(side // self.downsample * times for side, times in sides), 3)

  def of_size(self, size):
    """The same for images of a size, (height, width), where nothing else was asked for."""
    return self if self.size else dataclasses.replace(self, size=tuple(size))

  def identity(self):
    """List of str: what of this changes pixels, but for the size, since it can be chosen."""
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
    key: (seed, step, index) that a random crop follows from, to train on; None for what is scored.

  Returns:
    uint8 tensor [height, width, 3].
  """
  # Traced once for all data sets of a process: a trace takes about a second.
  if key is None or preparation.crop == "whole":
    return _scored(preparation)(content)
  seed, step, index = key
  return _cropped(preparation, seed)(content, step, index)


@functools.lru_cache(maxsize=32)
def _scored(preparation):
  """The function of `pixels` for what is scored."""
  import tensorflow as tf

  def run(content):
    image = decode.rgb(content, preparation)
    if preparation.crop == "resized":
      return crop_lib.middle(image, preparation.size)
    image = resize_lib.fitted(image, preparation.size, preparation.resize, preparation.level)
    image = resize_lib.downsampled(image, preparation.downsample)
    return resize_lib.repeated(image, preparation.repeat)

  return tf.function(run, autograph=False, input_signature=[tf.TensorSpec([], tf.string)])


@functools.lru_cache(maxsize=32)
def _cropped(preparation, seed):
  """The function of `pixels` for random crops: of the content, the step and the index."""
  import tensorflow as tf

  def run(content, step, index):
    bits = crop_lib.draws(seed, step, index)
    image = decode.rgb(content, preparation, lambda *sides: crop_lib.window(*sides, bits))
    return crop_lib.resized(image, preparation.size)

  return tf.function(run, autograph=False, reduce_retracing=True)
