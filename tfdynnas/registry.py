"""What a flag or a file names, and where it is: to add a thing is its file and a line here.

A place is `module:name`, imported when it is asked for, so that the names cost nothing; or the
thing itself, where a program adds one of its own. `CONTRIBUTING.md` has an example of each.
"""

import dataclasses
import importlib

from tfdynnas import errors

# Of --method: what a step trains. Classes of methods.Method.
METHODS = {
    "spos": "tfdynnas.methods.single_path:SinglePath",
    "fairnas": "tfdynnas.methods.fairnas:FairNAS",
    "sandwich": "tfdynnas.methods.sandwich:Sandwich",
}
# Of --sampler: how archs are drawn, a pure function of (seed, step). Classes with `of_space`.
SAMPLERS = {
    "uniform": "tfdynnas.sampling.uniform:Uniform",
    "proportional": "tfdynnas.sampling.by_complexity:Proportional",
    "stratified": "tfdynnas.sampling.by_complexity:Stratified",
    "budget": "tfdynnas.sampling.by_budget:Budget",
}
# Of --sampler too: those that learn from each step, and so are methods of one path whole.
LEARNING_SAMPLERS = {
    "pa": "tfdynnas.methods.path_importance:PathImportance",
    "pada": "tfdynnas.methods.pada:PADA",
}
# Of --dataset: functions of seed, image_size, valid_share and test_share; other names are tfds'.
DATASETS = {
    "digits": "tfdynnas.data.sources.digits:digits",
}
# Of --space: functions of the size, channels, image_size, classes and others, to spaces.Space.
SPACES = {
    "nasbench201": "tfdynnas.spaces.nasbench201:nasbench201",
    "mobilenet": "tfdynnas.spaces.mobilenet:mobilenet",
}


@dataclasses.dataclass(frozen=True)
class Kind:
  """The parts of a kind of space, each a place.

  Attributes:
    space: Subclass of spaces.Space with `kind`, `get_config` and `from_config`.
    body: Class (space, add): the weights of the supernet, and the way from images to features.
    network: Function of a space and an arch to its plain Keras model, see supernet.plain_network.
    pieces: Function of a space to supernet.pieces.Pieces, whose latency is measured.
    figure: Function of a space and an arch to the matplotlib axes of its picture.
  """

  space: object
  body: object
  network: object
  pieces: object = None
  figure: object = None


KINDS = {
    "cells": Kind(
        "tfdynnas.spaces.cells:CellSpace", "tfdynnas.supernet.cells.body:CellBody",
        "tfdynnas.supernet.cells.network:cell_network",
        "tfdynnas.supernet.cells.pieces:cell_pieces",
        "tfdynnas.analysis.plots.cell_figure:cell_figure",
    ),
    "layers": Kind(
        "tfdynnas.spaces.layers:LayerSpace", "tfdynnas.supernet.layers.body:LayerBody",
        "tfdynnas.supernet.layers.network:layer_network",
        "tfdynnas.supernet.layers.pieces:layer_pieces",
        "tfdynnas.analysis.plots.layer_figure:layer_figure",
    ),
}


def find(named, name, what):
  """The thing of a name.

  Args:
    named: One of the dicts above.
    name: str.
    what: What it is a name of, for the error: the name of a flag or an argument.

  Raises:
    InputError: There is none.
  """
  if name not in named:
    raise errors.InputError(f"`{what}` must be one of {tuple(named)}. Received: {name!r}")
  return at(named[name])


def part(space, name):
  """A part of the kind of a space.

  Args:
    space: spaces.Space.
    name: One of the attributes of Kind.

  Raises:
    InputError: There is no such kind, or it has no such part.
  """
  place = getattr(KINDS.get(getattr(space, "kind", None)), name, None)
  if place is None:
    raise errors.InputError(
        f"A {name} needs a space of a kind that has one, such as {' or '.join(KINDS)}. "
        f"Received: `{space.name}`"
    )
  return at(place)


def at(place):
  """What is at a place: `module:name` is imported, all else is the thing itself."""
  if not isinstance(place, str):
    return place
  module, _, name = place.partition(":")
  return getattr(importlib.import_module(module), name)
