"""Layer spaces: a chain of inverted residual blocks, each with a choice of kernel and expansion.

Source: Sandler et al., MobileNetV2 (CVPR 2018): stem, a first block that does not expand, stages
of blocks whose first one may change channels and size, a last convolution, and a classifier on the
pooled features.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from tfdynnas import errors
from tfdynnas import image_size as image_size_lib
from tfdynnas.spaces import space as space_lib


@dataclasses.dataclass(frozen=True)
class Block:
  """An inverted residual block: a 1x1 convolution, a depthwise one, and a 1x1 projection.

  Attributes:
    name: Name of the choice.
    expansion: Ratio of hidden to input channels, >= 1; 0 leaves the layer out.
    window: Height and width of the depthwise kernel, odd, >= 1.

  Example:
    block = nas.spaces.Block("mb3_5x5", expansion=3, window=5)
  """

  name: str
  expansion: int
  window: int = 1

  def __post_init__(self):
    if self.expansion < 0:
      raise errors.InputError(f"`expansion` must be >= 0. Received: {self.expansion}")
    if self.window < 1 or self.window % 2 == 0:
      raise errors.InputError(f"`window` must be odd and >= 1. Received: {self.window}")


@dataclasses.dataclass(frozen=True)
class Stage:
  """Layers of one width.

  Attributes:
    channels: Channels of each layer's output.
    layers: Number of layers.
    stride: Stride of the first layer.

  Example:
    stage = nas.spaces.Stage(channels=24, layers=4, stride=2)
  """

  channels: int
  layers: int
  stride: int = 1

  def __post_init__(self):
    _check_positive(self, ("channels", "layers", "stride"))


@dataclasses.dataclass(frozen=True)
class Layer:
  """One layer of the chain.

  Attributes:
    name: Name of the decision, stage and layer counted from 1: `1.1`.
    inputs: Channels of the input.
    outputs: Channels of the output.
    stride: Stride of the depthwise convolution.
    size: (height, width) of the input, pixels.
  """

  name: str
  inputs: int
  outputs: int
  stride: int
  size: tuple[int, int]

  @property
  def output_size(self) -> tuple[int, int]:
    """(height, width) of the output, pixels."""
    return _strided(self.size, self.stride)

  @property
  def keeps_shape(self) -> bool:
    """Whether the output has the input's shape; the input is then added, the layer optional."""
    return self.stride == 1 and self.inputs == self.outputs


@dataclasses.dataclass(frozen=True)
class LayerSkeleton:
  """The network around the choices.

  Attributes:
    stages: Tuple of Stage.
    stem: Channels of the first 3x3 convolution.
    stem_stride: Stride of that convolution.
    first: Channels of the first block, which is not searched: depthwise 3x3, then 1x1.
    last: Channels of the 1x1 convolution before the pool.
    image_size: Height and width of the images, pixels: an int or a pair; a pair of equal numbers
      becomes an int. A stride rounds up: 7 becomes 4.
    classes: Number of classes.

  Example:
    stages = (nas.spaces.Stage(8, 2), nas.spaces.Stage(16, 2, stride=2))
    skeleton = nas.spaces.LayerSkeleton(stages, stem=8, last=64, image_size=32, classes=10)
    print([layer.name for layer in skeleton.layers])  # ["1.1", "1.2", "2.1", "2.2"]
  """

  stages: tuple[Stage, ...]
  stem: int = 32
  stem_stride: int = 2
  first: int = 16
  last: int = 1280
  image_size: int | tuple[int, int] = 224
  classes: int = 1000

  def __post_init__(self):
    if not self.stages:
      raise errors.InputError("`stages` must hold a Stage. Received: none")
    _check_positive(self, ("stem", "stem_stride", "first", "last"))
    object.__setattr__(self, "image_size", image_size_lib.plain(self.image_size))
    if self.classes < 2:
      raise errors.InputError(f"`classes` must be >= 2. Received: {self.classes}")

  @property
  def image_shape(self) -> tuple[int, int, int]:
    """(height, width, 3) of the images, pixels."""
    return *image_size_lib.pair(self.image_size), 3

  @property
  def stem_size(self) -> tuple[int, int]:
    """(height, width) after the stem, pixels."""
    return _strided(image_size_lib.pair(self.image_size), self.stem_stride)

  @property
  def layers(self) -> tuple[Layer, ...]:
    """Layer of each decision, tuple."""
    found, inputs, size = [], self.first, self.stem_size
    for number, stage in enumerate(self.stages, 1):
      for place in range(1, stage.layers + 1):
        stride = stage.stride if place == 1 else 1
        found.append(Layer(f"{number}.{place}", inputs, stage.channels, stride, size))
        inputs, size = stage.channels, found[-1].output_size
    return tuple(found)


@dataclasses.dataclass(frozen=True)
class LayerSpace(space_lib.Space):
  """A space of layers; an arch names the block of each. Only a layer that keeps the shape may go.

  Attributes:
    blocks: Choices of a layer that may be left out.
    skeleton: The network around the choices.

  Example:
    space = nas.spaces.mobilenet()  # Or `layer_space`.
    print([block.name for block in space.chosen(space.smallest())])
  """

  kind = "layers"  # Of registry.KINDS.
  blocks: tuple[Block, ...]
  skeleton: LayerSkeleton

  def chosen(self, arch: Sequence[int]) -> tuple[Block, ...]:
    """Block of each layer, tuple.

    Args:
      arch: Sequence of ints, one per decision.
    """
    return tuple(
        self.blocks_of(place)[choice] for place, choice in enumerate(self.validate(arch))
    )

  def blocks_of(self, place: int) -> tuple[Block, ...]:
    """Choices of a decision: tuple of Block."""
    return _choices(self.blocks, self.skeleton.layers[place])

  def get_config(self) -> dict[str, Any]:
    """JSON-able dict for `from_config`."""
    return {
        "name": self.name,
        "blocks": [dataclasses.asdict(block) for block in self.blocks],
        "skeleton": dataclasses.asdict(self.skeleton),
    }

  @classmethod
  def from_config(cls, config: dict[str, Any]) -> "LayerSpace":
    """Makes the space from its config."""
    blocks = [Block(**block) for block in config["blocks"]]
    stages = tuple(Stage(**stage) for stage in config["skeleton"]["stages"])
    skeleton = LayerSkeleton(**{**config["skeleton"], "stages": stages})
    return layer_space(config["name"], blocks, skeleton)


def layer_space(name: str, blocks: Sequence[Block], skeleton: LayerSkeleton) -> LayerSpace:
  """Makes a layer space, with its costs.

  Complexity counts kernels and, as the published counter does, the classifier's bias.

  Args:
    name: Name of the space.
    blocks: Sequence of Block.
    skeleton: LayerSkeleton.

  Returns:
    LayerSpace.

  Raises:
    InputError: A repeated name, or no block that does something.

  Example:
    blocks = [nas.spaces.Block("mb3_3x3", 3, 3), nas.spaces.Block("identity", 0)]
    skeleton = nas.spaces.LayerSkeleton((nas.spaces.Stage(16, 3),), image_size=32, classes=10)
    space = nas.spaces.layer_space("mine", blocks, skeleton)
    print(space.size)  # 2**3: all layers keep the shape and may be left out.
  """
  blocks = tuple(blocks)
  names = [block.name for block in blocks]
  if len(set(names)) < len(names) or not any(block.expansion for block in blocks):
    raise errors.InputError(
        f"Blocks need names of their own, and one must expand. Received: {names}"
    )
  choices = [(layer, _choices(blocks, layer)) for layer in skeleton.layers]
  decisions = tuple(
      space_lib.Decision(layer.name, tuple(block.name for block in own)) for layer, own in choices
  )
  costs = {}
  for kind in space_lib.COSTS:
    table = tuple(tuple(_block_cost(kind, block, layer) for block in own) for layer, own in choices)
    costs[kind] = space_lib.Cost(_fixed_cost(kind, skeleton), table)
  return LayerSpace(name, decisions, costs, blocks, skeleton)


def _choices(blocks, layer):
  return tuple(block for block in blocks if block.expansion or layer.keeps_shape)


def _strided(size, stride):
  """(height, width) after a stride, which rounds up."""
  return tuple(-(-side // stride) for side in size)


def _conv_cost(kind, kernel, outputs, size):
  """Cost of a bias-free convolution with `kernel` weights and an output of size (height, width)."""
  if kind == "macs":
    return kernel * math.prod(size)
  return kernel + (2 * outputs if kind == "params" else 0)  # Its affine normalisation.


def _block_cost(kind, block, layer):
  """Cost of a block in a layer."""
  if not block.expansion:
    return 0
  hidden, size = block.expansion * layer.inputs, layer.output_size
  return (
      _conv_cost(kind, layer.inputs * hidden, hidden, layer.size)
      + _conv_cost(kind, block.window * block.window * hidden, hidden, size)
      + _conv_cost(kind, hidden * layer.outputs, layer.outputs, size)
  )


def _fixed_cost(kind, skeleton):
  """Cost of stem, first block, last convolution and classifier."""
  stem, first, last, size = skeleton.stem, skeleton.first, skeleton.last, skeleton.stem_size
  end = skeleton.layers[-1]
  bias = 0 if kind == "macs" else skeleton.classes
  return (
      _conv_cost(kind, 9 * 3 * stem, stem, size)
      + _conv_cost(kind, 9 * stem, stem, size)
      + _conv_cost(kind, stem * first, first, size)
      + _conv_cost(kind, end.outputs * last, last, end.output_size)
      + last * skeleton.classes + bias
  )


def _check_positive(made, names):
  for name in names:
    if getattr(made, name) < 1:
      raise errors.InputError(f"`{name}` must be >= 1. Received: {getattr(made, name)}")
