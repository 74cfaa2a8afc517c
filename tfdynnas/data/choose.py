"""One door to every source, for tools: which data set do these arguments mean?"""

import importlib.util

from tfdynnas import errors
from tfdynnas.data import embedded
from tfdynnas.data import folder
from tfdynnas.data import packed
from tfdynnas.data import prepared


def load(
    dataset=None, image_dir=None, data_dir=None, download=False, image_size=None, downsample=1,
    classes=None, valid_share=0.5, split_file=None, seed=0, data_file=None,
):
  """Loads the embedded digits, a folder of images, a tfds set or one of these from a packed file.

  Args:
    dataset: "digits" or a tfds name; of this, `image_dir` and `data_file` one is given.
    image_dir: Folder with one folder per class.
    data_dir: Folder of prepared tfds sets.
    download: Download and prepare a tfds set if it is not there.
    image_size: Height and width of the images, an int or a pair; None keeps their own.
    downsample: tfds only: side of the blocks whose mean becomes a pixel.
    classes: tfds only: keep the labels below this number.
    valid_share: tfds only: share of the training split for validation.
    split_file: CIFAR-10 only: the literature's fixed split.
    seed: int in [0, 2**32), of the split.
    data_file: Packed file of tools/pack.py.

  Returns:
    Data.

  Raises:
    InputError: An argument is unusable, or does not go with the source.
  """
  _check_one(dataset, image_dir, data_file)
  asked = image_size, downsample, valid_share, classes, seed, split_file
  if data_file is not None:
    prepared.check_no_tfds(data_file, download=download)
    return packed.from_packed(data_file, *asked)
  if dataset in SOURCES:
    prepared.check_no_tfds(dataset, downsample, classes, split_file, download)
    return SOURCES[dataset](seed, image_size)
  _check_tensorflow(dataset or image_dir)
  if dataset is not None:
    return prepared.from_tfds(dataset, data_dir, download, *asked)
  prepared.check_no_tfds(image_dir, downsample, classes, split_file, download)
  return folder.from_folder(image_dir, image_size, seed)


def _check_one(dataset, image_dir, data_file):
  if [dataset, image_dir, data_file].count(None) != 2:
    raise errors.InputError(
        "Give one of `dataset`, `image_dir` and `data_file`. "
        f"Received: {dataset=}, {image_dir=}, {data_file=}"
    )


def _check_tensorflow(source):
  if importlib.util.find_spec("tensorflow") is None:
    raise errors.InputError(
        "tfds sets and folders are read with TensorFlow; where it is, tools/pack.py makes a "
        f"`data_file` of one, which needs none. Received: {source}, and it is not installed"
    )


def _digits(seed, image_size):
  return embedded.digits(seed, 8 if image_size is None else image_size)


SOURCES = {"digits": _digits}
