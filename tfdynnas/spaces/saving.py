"""Spaces as JSON-able dicts, to be saved with a model."""

from typing import Any

from tfdynnas import errors
from tfdynnas import registry
from tfdynnas.spaces import space as space_lib


def to_config(space: space_lib.Space) -> dict[str, Any]:
  """A space as a JSON-able dict, for `from_config`.

  Args:
    space: Space of a kind in registry.KINDS.

  Raises:
    InputError: The space is of another kind.

  Example:
    config = nas.spaces.to_config(space)
  """
  if not isinstance(space, registry.part(space, "space")):
    raise errors.InputError(f"A space must be of its kind. Received: `{space.name}`")
  left = {"allowed": [list(own) for own in space.allowed]} if space.count < space.size else {}
  return {"kind": space.kind, **space.get_config(), **left}


def from_config(config: dict[str, Any]) -> space_lib.Space:
  """The space that `to_config` described; a config without a kind is a cell space.

  Example:
    assert nas.spaces.from_config(nas.spaces.to_config(space)) == space
  """
  own = {key: value for key, value in config.items() if key not in ("kind", "allowed")}
  kind = registry.find(registry.KINDS, config.get("kind", "cells"), "kind")
  return registry.at(kind.space).from_config(own).restrict(config.get("allowed"))
