"""Spaces as JSON-able dicts, for what is saved with a model."""

from tfdynnas import errors
from tfdynnas.spaces import cells
from tfdynnas.spaces import layers

KINDS = {"cells": (cells.CellSpace, cells), "layers": (layers.LayerSpace, layers)}


def to_config(space):
  """A space as a JSON-able dict, for `from_config`.

  Args:
    space: CellSpace or LayerSpace.

  Raises:
    InputError: It is neither.
  """
  for kind, (made, module) in KINDS.items():
    if isinstance(space, made):
      left = {"allowed": [list(own) for own in space.allowed]} if space.count < space.size else {}
      return {"kind": kind, **module.to_config(space), **left}
  raise errors.InputError(
      f"A space to save must be one of {', '.join(KINDS)}. Received: `{space.name}`"
  )


def from_config(config):
  """The space that `to_config` described; without a kind it is one of cells."""
  space = KINDS[config.get("kind", "cells")][1].from_config(config)
  return space.restrict(config.get("allowed"))
