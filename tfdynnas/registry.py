"""The names in flags and files, and the place of each: to add one is a file and a line here.

A place is `module:name`, imported when it is needed, or the object itself, which a program may
add. `CONTRIBUTING.md` has an example of each.
"""

import dataclasses
import importlib

from tfdynnas import errors

# Values of --method, what a step trains: subclasses of methods.Method.
METHODS = {
    "spos": "tfdynnas.methods.single_path:SinglePath",
    "fairnas": "tfdynnas.methods.fairnas:FairNAS",
    "sandwich": "tfdynnas.methods.sandwich:Sandwich",
}
# Values of --sampler, how archs are drawn from (seed, step): classes with `of_space`.
SAMPLERS = {
    "uniform": "tfdynnas.sampling.uniform:Uniform",
    "proportional": "tfdynnas.sampling.by_complexity:Proportional",
    "stratified": "tfdynnas.sampling.by_complexity:Stratified",
    "budget": "tfdynnas.sampling.by_budget:Budget",
}
# Values of --sampler too: samplers that learn from each step, and so are single-path methods.
LEARNING_SAMPLERS = {
    "pa": "tfdynnas.methods.path_importance:PathImportance",
    "pada": "tfdynnas.methods.pada:PADA",
}
# Values of --dataset: functions of seed, image_size, valid_share and test_share; any other name is
# looked up in TensorFlow Datasets.
DATASETS = {
    "digits": "tfdynnas.data.sources.digits:digits",
}
# Values of --format: formats of files for devices, serving.formats.Format; each is an extra too.
FORMATS = {
    "litert": "tfdynnas.serving.formats.litert:FORMAT",
    "onnx": "tfdynnas.serving.formats.onnx:FORMAT",
}
# Values of --space: functions of the size, channels, image_size, classes and others that return a
# spaces.Space.
SPACES = {
    "nasbench201": "tfdynnas.spaces.nasbench201:nasbench201",
    "mobilenet": "tfdynnas.spaces.mobilenet:mobilenet",
}


@dataclasses.dataclass(frozen=True)
class Kind:
  """The components of a kind of space, each a place.

  Attributes:
    space: Subclass of spaces.Space with `kind`, `get_config` and `from_config`.
    body: Class (space, add): the supernet's weights, and its function from images to features; it
      may take `sharing` and `branch_scale` of supernet.Supernet.
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
  """The object under a name.

  Args:
    named: One of the dicts above.
    name: str.
    what: The name of the flag or argument, for the message.

  Raises:
    InputError: No object has this name.
  """
  if name not in named:
    raise errors.InputError(f"`{what}` must be one of {tuple(named)}. Received: {name!r}")
  return at(named[name])


def part(space, name):
  """A component of the kind of a space.

  Args:
    space: spaces.Space.
    name: An attribute of Kind.

  Raises:
    InputError: The kind is unknown, or does not have it.
  """
  place = getattr(KINDS.get(getattr(space, "kind", None)), name, None)
  if place is None:
    raise errors.InputError(
        f"A {name} needs a space of a kind that has one, such as {' or '.join(KINDS)}. "
        f"Received: `{space.name}`"
    )
  return at(place)


def at(place):
  """The object at a place: `module:name` is imported, anything else is the object itself."""
  if not isinstance(place, str):
    return place
  module, _, name = place.partition(":")
  return getattr(importlib.import_module(module), name)
