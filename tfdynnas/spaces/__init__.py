"""What can be chosen and what it costs. Needs numpy alone and imports in milliseconds."""

import dataclasses

from tfdynnas import registry
from tfdynnas.spaces import own
from tfdynnas.spaces.allowed import parse as parse_allowed
from tfdynnas.spaces.cells import CellSpace
from tfdynnas.spaces.cells import Operation
from tfdynnas.spaces.cells import Skeleton
from tfdynnas.spaces.cells import cell_space
from tfdynnas.spaces.layers import Block
from tfdynnas.spaces.layers import LayerSkeleton
from tfdynnas.spaces.layers import LayerSpace
from tfdynnas.spaces.layers import Stage
from tfdynnas.spaces.layers import layer_space
from tfdynnas.spaces.limits import LimitedSpace
from tfdynnas.spaces.limits import Limits
from tfdynnas.spaces.limits import as_mapping
from tfdynnas.spaces.limits import meets
from tfdynnas.spaces.mobilenet import mobilenet
from tfdynnas.spaces.nasbench201 import nasbench201
from tfdynnas.spaces.partition import Parts
from tfdynnas.spaces.partition import format_groups
from tfdynnas.spaces.partition import make_parts
from tfdynnas.spaces.saving import from_config
from tfdynnas.spaces.saving import to_config
from tfdynnas.spaces.space import COSTS
from tfdynnas.spaces.space import Cost
from tfdynnas.spaces.space import Decision
from tfdynnas.spaces.space import Space

__all__ = [
    "Block", "COSTS", "CellSpace", "Cost", "Decision", "LayerSkeleton", "LayerSpace",
    "LimitedSpace", "Limits", "Operation", "Parts", "Skeleton", "Space", "Stage", "as_mapping",
    "cell_space", "format_groups", "from_config", "get", "layer_space", "make_parts", "meets",
    "mobilenet", "nasbench201", "parse_allowed", "to_config",
]


def get(name: str, **size) -> Space:
  """Makes a space by name.

  Args:
    name: One of registry.SPACES, or `module:function` for a function that makes a space.
    **size: Arguments of that space: channels, image_size, classes and others.

  Returns:
    Space.

  Raises:
    InputError: There is no such space, or a size is out of range.

  Example:
    space = nas.spaces.get("nasbench201", channels=8, cells=1, image_size=8)
  """
  if ":" in name:
    return dataclasses.replace(own.make(name, **size), made_by={"space": name, **size})
  return registry.find(registry.SPACES, name, "space")(**size)
