"""The MobileNet space: seven blocks in each of 21 layers, 6**6 * 7**15 = 2.2e17 archs.

Source: Cai et al., ProxylessNAS (ICLR 2019), the MobileNetV2 space with seven choices; the widths
are those of the code published around "Subnet-Aware Dynamic Supernet Training" (CVPR 2025).
"""

from tfdynnas import errors
from tfdynnas import made_by
from tfdynnas.spaces import layers

BLOCKS = (
    layers.Block("mb3_3x3", 3, 3),
    layers.Block("mb6_3x3", 6, 3),
    layers.Block("mb3_5x5", 3, 5),
    layers.Block("mb6_5x5", 6, 5),
    layers.Block("mb3_7x7", 3, 7),
    layers.Block("mb6_7x7", 6, 7),
    layers.Block("identity", 0),
)
_LATER = ((40, 4, 2), (80, 4, 2), (96, 4, 1), (192, 4, 2), (320, 1, 1))


@made_by.recorded(space="mobilenet")
def mobilenet(
    channels: int = 24, width: float = 1.0, image_size: int | tuple[int, int] = 224,
    classes: int = 1000, small: bool = False,
) -> layers.LayerSpace:
  """The MobileNet space, by default at ImageNet's size.

  Six layers change the shape and are never left out: they have six choices.

  Args:
    channels: Channels of the first stage, >= 1; published with 24 and with 32.
    width: Factor of the channels, > 0; any but 1 rounds them to multiples of 8. The last
      convolution does not become narrower.
    image_size: Height and width of the images, pixels, an int or a pair, >= 1.
    classes: Number of classes, >= 2.
    small: bool, for images of about 32 pixels: stem and first stage have stride 1.

  Returns:
    LayerSpace. At the published size its complexity is 2 145 384 to 5 054 664 and its
    multiply-accumulates 102 528 896 to 606 590 720 (channels=24); 2 148 288 to 5 085 576 and
    108 869 888 to 693 483 008 (channels=32).

  Raises:
    InputError: A number is out of range.

  Example:
    space = nas.spaces.mobilenet(width=0.5, image_size=32, classes=10, small=True)
  """
  if not width > 0:
    raise errors.InputError(f"`width` must be > 0. Received: {width}")
  if channels < 1:
    raise errors.InputError(f"`channels` must be >= 1. Received: {channels}")
  stride = 1 if small else 2
  stages = ((channels, 4, stride), *_LATER)
  skeleton = layers.LayerSkeleton(
      tuple(layers.Stage(_scaled(count, width), *rest) for count, *rest in stages),
      stem=_scaled(32, width), stem_stride=stride, first=_scaled(16, width),
      last=_scaled(1280, max(1.0, width)), image_size=image_size, classes=classes,
  )
  return layers.layer_space("mobilenet", BLOCKS, skeleton)


def _scaled(channels, width):
  """Channels at a width: the nearest multiple of 8, not below 0.9 of them (MobileNetV2)."""
  if width == 1:
    return channels
  wanted = channels * width
  nearest = max(8, int(wanted + 4) // 8 * 8)
  return nearest if nearest >= 0.9 * wanted else nearest + 8
