"""One function for every source, which tools call: it chooses the source by the arguments."""

import importlib.util
import inspect
import os
import typing

from tfdynnas import errors
from tfdynnas import registry
from tfdynnas.data import dataset as dataset_lib
from tfdynnas.data.images import preparation
from tfdynnas.data.sources import folder
from tfdynnas.data.sources import packed
from tfdynnas.data.sources import shards
from tfdynnas.data.sources import tfds

_TFDS = "a `dataset` of tfds"
_READERS = {
    _TFDS: tfds.from_tfds, "`image_dir`": folder.from_folder, "`data_file`": packed.from_packed,
    "`record_dir`": shards.from_shards,
}


class Preparing(typing.TypedDict, total=False):
  """The settings of `preparation.Preparation` that a source passes on."""

  resize: str
  orientation: str
  background: str
  max_pixels: int


class How(Preparing, total=False):
  """How images are prepared and split: what `load` takes beside their source."""

  data_dir: str | os.PathLike | None
  download: bool
  image_size: int | tuple[int, int] | None
  crop: str
  downsample: int
  classes: int | None
  valid_share: float | None
  test_share: float | None
  split_file: str | os.PathLike | None
  seed: int
  held_bytes: int


def load(
    dataset: str | None = None, image_dir: str | None = None, data_file: str | None = None,
    record_dir: str | None = None, look: bool = False, **how: typing.Unpack[How],
) -> dataset_lib.Data:
  """Loads the digits, a folder of images, a tfds set, TFRecord shards, or a packed file of these.

  Args:
    dataset: "digits" or a tfds name; give one of it, `image_dir`, `data_file` and `record_dir`.
    image_dir: Folder with one folder per class.
    data_file, record_dir: Packed file of tools/pack.py; folder of TFRecord shards.
    look: Whether to decode scored images first, where they are streamed, to find broken ones.
    **how: What the source takes, which all call by the same name; None is not given.
      data_dir, download: Folder of prepared tfds sets; whether to prepare a missing one.
      image_size: Height and width of the images, an int or a pair; None keeps their own.
      crop: "whole" or "resized".
      downsample: tfds only: side of the blocks whose mean becomes a pixel.
      classes: tfds only: keep the labels below this number.
      valid_share, test_share: Shares in (0, 1) to split off; None: the source's default.
      split_file, seed: CIFAR-10 only: the published fixed split; int, of any other split.
      held_bytes: Most bytes of pixels to hold; more are streamed, or refused of a packed file.
      resize, orientation, background, max_pixels: see `preparation.Preparation`.

  Returns:
    Data.

  Raises:
    InputError: An argument is unusable, or does not apply to the source.

  Example:
    data = nas.data.load(dataset="digits", image_size=16)
  """
  kind, place = _one(
      dataset=dataset, image_dir=image_dir, data_file=data_file, record_dir=record_dir)
  read = _reader(kind, place)
  taken = _parameters(read)
  _check_applies(how, place, taken)
  given = {name: value for name, value in {**how, "look": look}.items()
           if name in taken and value is not None}
  return read(**given) if place in registry.DATASETS else read(place, **given)


def _reader(kind, place):
  """The function that reads a source."""
  if kind == "dataset" and place in registry.DATASETS:
    return registry.find(registry.DATASETS, place, "dataset")
  if kind != "data_file" and importlib.util.find_spec("tensorflow") is None:
    raise errors.InputError(
        "tfds sets, folders and shards are read with TensorFlow; where it is, tools/pack.py makes "
        f"a `data_file` of one, which needs none. Received: {place}, and it is not installed"
    )
  return _READERS[_TFDS if kind == "dataset" else f"`{kind}`"]


def _parameters(read):
  """dict, name -> default of what a source takes."""
  parameters = inspect.signature(read).parameters.values()
  found = {one.name: one.default for one in parameters if one.kind is not one.VAR_KEYWORD}
  if len(found) < len(parameters):
    usual = preparation.Preparation()
    found.update({name: getattr(usual, name) for name in Preparing.__annotations__})
  return found


def _check_applies(how, place, taken):
  """Refuses what is unknown, and what the source does not take, unless it is the usual value."""
  readers = {name: _parameters(read) for name, read in _READERS.items()}
  for name, value in how.items():
    if name not in How.__annotations__:
      raise errors.InputError(f"`load` takes {', '.join(How.__annotations__)}. Received: {name}")
    if name in taken or value is None:
      continue
    takers = {reader: parameters for reader, parameters in readers.items() if name in parameters}
    if value not in [parameters[name] for parameters in takers.values()]:
      raise errors.InputError(
          f"`{name}` is for {', '.join(takers)}. Received: {value!r:.60} for {place!r:.200}"
      )


def _one(**sources):
  """(name, value) of the source that is given."""
  found = [item for item in sources.items() if item[1] is not None]
  if len(found) != 1:
    received = ", ".join(f"{name}={value!r:.60}" for name, value in sources.items())
    raise errors.InputError(
        f"Give one of `{'`, `'.join(list(sources)[:-1])}` and `{list(sources)[-1]}`. "
        f"Received: {received}"
    )
  return found[0]
