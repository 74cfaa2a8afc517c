"""Which space is searched, and how it is narrowed."""

import dataclasses

from tfdynnas import errors
from tfdynnas.config.jobs import NarrowConfig
from tfdynnas.config.option import option


@dataclasses.dataclass(frozen=True)
class SpaceConfig(NarrowConfig):
  """Which space, at which size."""

  space: str = option("nasbench201", "Search space.", choices=("nasbench201", "mobilenet"))
  channels: int = option(
      0, "Channels of the first stage; 0: as published, 16, of mobilenet 24.", least=0, most=65_536
  )
  cells: int = option(
      0, "nasbench201: cells in each stage; 0: as published, 5.", least=0, most=1_000
  )
  width: float = option(1.0, "mobilenet: factor of the channels.", above=0, most=64)
  small: bool = option(
      False, "mobilenet: for images of about 32 pixels, stem and first stage keep the size."
  )

  def __post_init__(self):
    super().__post_init__()
    layers = self.space == "mobilenet"
    for name, foreign, default in (
        ("cells", layers, 0), ("width", not layers, 1.0), ("small", not layers, False)
    ):
      if foreign and getattr(self, name) != default:
        raise errors.InputError(
            f"`{name}` must be left out with space={self.space}. Received: {getattr(self, name)}"
        )
    # A run is told the number, so that a later version cannot change what it means.
    object.__setattr__(self, "channels", self.channels or (24 if layers else 16))
    object.__setattr__(self, "cells", self.cells if layers else self.cells or 5)

  def size(self):
    """dict, what `spaces.get` takes of the space's size, but for that of the images."""
    if self.space == "mobilenet":
      return {"channels": self.channels, "width": self.width, "small": self.small}
    return {"channels": self.channels, "cells": self.cells}
