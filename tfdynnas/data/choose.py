"""One door to every source, for tools: which data set do these arguments mean?"""

import importlib.util

from tfdynnas import errors
from tfdynnas.data import embedded
from tfdynnas.data import folder
from tfdynnas.data import packed
from tfdynnas.data import prepared
from tfdynnas.data import shards


def load(
    dataset=None, image_dir=None, data_dir=None, download=False, image_size=None, downsample=1,
    classes=None, valid_share=0.5, split_file=None, seed=0, data_file=None, record_dir=None,
    crop="whole",
):
  """Loads the digits, a folder of images, a tfds set, TFRecord shards, or a packed file of these.

  Args:
    dataset: "digits" or a tfds name; of this, the next, `data_file`, `record_dir` one is given.
    image_dir: Folder with one folder per class.
    data_dir: Folder of prepared tfds sets.
    download: Download and prepare a tfds set if it is not there.
    image_size: Height and width of the images, an int or a pair; None keeps their own.
    downsample: tfds only: side of the blocks whose mean becomes a pixel.
    classes: tfds only: keep the labels below this number.
    valid_share: tfds and shards: share of the training split for validation.
    split_file: CIFAR-10 only: the literature's fixed split.
    seed: int in [0, 2**32), of the split.
    data_file: Packed file of tools/pack.py.
    record_dir: Folder of TFRecord shards.
    crop: "whole" or "resized": how photographs come to their size.

  Returns:
    Data.

  Raises:
    InputError: An argument is unusable, or does not go with the source.
  """
  _check_one(dataset=dataset, image_dir=image_dir, data_file=data_file, record_dir=record_dir)
  asked = image_size, downsample, valid_share, classes, seed, split_file
  if data_file is not None or dataset in SOURCES:
    return _held(dataset, data_file, download, crop, asked)
  _check_tensorflow(source := dataset or image_dir or record_dir)
  if dataset is not None:
    return prepared.from_tfds(dataset, data_dir, download, *asked, crop=crop)
  prepared.check_no_tfds(source, downsample, classes, split_file, download)
  if image_dir is not None:
    return folder.from_folder(image_dir, image_size, seed, crop=crop)
  return shards.from_shards(record_dir, image_size, valid_share, seed, crop=crop)


def _held(dataset, data_file, download, crop, asked):
  """The sources that are decoded once: those without TensorFlow."""
  if crop != "whole":
    raise errors.InputError(
        "`crop` resized needs tfds, a folder or shards. "
        f"Received: {crop} for {data_file or dataset}"
    )
  if data_file is not None:
    prepared.check_no_tfds(data_file, download=download)
    return packed.from_packed(data_file, *asked)
  image_size, downsample, _, classes, seed, split_file = asked
  prepared.check_no_tfds(dataset, downsample, classes, split_file, download)
  return SOURCES[dataset](seed, image_size)


def _check_one(**sources):
  if list(sources.values()).count(None) != len(sources) - 1:
    received = ", ".join(f"{name}={value!r}" for name, value in sources.items())
    raise errors.InputError(
        f"Give one of `{'`, `'.join(list(sources)[:-1])}` and `{list(sources)[-1]}`. "
        f"Received: {received}"
    )


def _check_tensorflow(source):
  if importlib.util.find_spec("tensorflow") is None:
    raise errors.InputError(
        "tfds sets, folders and shards are read with TensorFlow; where it is, tools/pack.py makes "
        f"a `data_file` of one, which needs none. Received: {source}, and it is not installed"
    )


def _digits(seed, image_size):
  return embedded.digits(seed, 8 if image_size is None else image_size)


SOURCES = {"digits": _digits}
