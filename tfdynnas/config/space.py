"""The space to search, its size and its restriction."""

import dataclasses
import functools
import inspect
import re

from tfdynnas import errors
from tfdynnas import registry
from tfdynnas.config.jobs import NarrowConfig
from tfdynnas.config.option import When
from tfdynnas.config.option import option

_OWN = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def _published(space):
  """dict, size argument of a space -> published value; {} for a user's own space."""
  if space not in registry.SPACES:
    return {}
  parameters = inspect.signature(registry.at(registry.SPACES[space])).parameters
  return {name: parameter.default for name, parameter in parameters.items()}


def _taken(name):
  """The rule that the space takes a size: When. A user's own space is not judged here."""
  return When("space", f"a space that takes {name}", functools.partial(_takes, name))


def _takes(name, space):
  return space not in registry.SPACES or name in _published(space)


@dataclasses.dataclass(frozen=True)
class SpaceConfig(NarrowConfig):
  """The space and its size."""

  space: str = option(
      "nasbench201", f"Search space: {', '.join(registry.SPACES)}, or module:function for one of "
      "your own; the function takes a size, image_size and classes.",
  )
  channels: int | None = option(
      None, "Channels of the first stage; none: as published, 16, of mobilenet 24.", least=1,
      most=65_536, unset=0, rules=(_taken("channels"),),
  )
  cells: int | None = option(
      None, "nasbench201: cells in each stage; none: as published, 5.", least=1, most=1_000,
      unset=0, rules=(_taken("cells"),),
  )
  width: float | None = option(
      None, "mobilenet: factor of the channels.", above=0, most=64, unset=1.0,
      rules=(_taken("width"),),
  )
  small: bool | None = option(
      None, "mobilenet: stem and first stage keep the size, for images of about 32 pixels.",
      unset=False, rules=(_taken("small"),),
  )

  def __post_init__(self):
    super().__post_init__()
    if self.space not in registry.SPACES and not _OWN.fullmatch(self.space):
      raise errors.InputError(
          f"`space` must be one of {', '.join(registry.SPACES)}, or module:function. "
          f"Received: {self.space!r:.60}"
      )
    # A run records the number, so that a later version cannot change its meaning.
    published = _published(self.space)
    for name in SIZE:
      if getattr(self, name) is None and name in published:
        object.__setattr__(self, name, published[name])

  @property
  def own(self):
    """Whether a function of the user's makes the space."""
    return self.space not in registry.SPACES

  def size(self):
    """dict, the size arguments of `spaces.get`, without that of the images."""
    values = {name: getattr(self, name) for name in SIZE}
    return {name: value for name, value in values.items() if value is not None}


SIZE = ("channels", "cells", "width", "small")
