"""Which space is searched, and how it is narrowed."""

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
  """dict, size that a space takes -> as published; {} of one of the user's own."""
  if space not in registry.SPACES:
    return {}
  parameters = inspect.signature(registry.at(registry.SPACES[space])).parameters
  return {name: parameter.default for name, parameter in parameters.items()}


def _taken(name):
  """The rule that the space takes a size: When. What one of the user's own takes is seen later."""
  return When("space", f"a space that takes {name}", functools.partial(_takes, name))


def _takes(name, space):
  return space not in registry.SPACES or name in _published(space)


@dataclasses.dataclass(frozen=True)
class SpaceConfig(NarrowConfig):
  """Which space, at which size."""

  space: str = option(
      "nasbench201", f"Search space: {', '.join(registry.SPACES)}, or module:function, a function "
      "of the size, beside it image_size and classes, that gives one of your own.",
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
      None, "mobilenet: for images of about 32 pixels, stem and first stage keep the size.",
      unset=False, rules=(_taken("small"),),
  )

  def __post_init__(self):
    super().__post_init__()
    if self.space not in registry.SPACES and not _OWN.fullmatch(self.space):
      raise errors.InputError(
          f"`space` must be one of {', '.join(registry.SPACES)}, or module:function. "
          f"Received: {self.space!r:.60}"
      )
    # A run is told the number, so that a later version cannot change what it means.
    published = _published(self.space)
    for name in SIZE:
      if getattr(self, name) is None and name in published:
        object.__setattr__(self, name, published[name])

  @property
  def own(self):
    """Whether the space is made by a function of the user's own."""
    return self.space not in registry.SPACES

  def size(self):
    """dict, what `spaces.get` takes of the space's size, but for that of the images."""
    values = {name: getattr(self, name) for name in SIZE}
    return {name: value for name, value in values.items() if value is not None}


SIZE = ("channels", "cells", "width", "small")
