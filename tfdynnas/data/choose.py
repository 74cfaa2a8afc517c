"""One door to every source, for tools: which data set do these arguments mean?"""

from tfdynnas import errors
from tfdynnas.data import embedded
from tfdynnas.data import folder
from tfdynnas.data import prepared


def load(
    dataset=None, image_dir=None, data_dir=None, download=False, image_size=None, downsample=1,
    classes=None, valid_share=0.5, split_file=None, seed=0,
):
  """Loads the embedded digits, a folder of images or a tfds set.

  Args:
    dataset: "digits" or a tfds name; None if `image_dir` is given.
    image_dir: Folder with one folder per class.
    data_dir: Folder of prepared tfds sets.
    download: Download and prepare a tfds set if it is not there.
    image_size: Height and width of the images, an int or a pair; None keeps their own.
    downsample: tfds only: side of the blocks whose mean becomes a pixel.
    classes: tfds only: keep the labels below this number.
    valid_share: tfds only: share of the training split for validation.
    split_file: CIFAR-10 only: the literature's fixed split.
    seed: int in [0, 2**32), of the split.

  Returns:
    Data.

  Raises:
    InputError: An argument is unusable, or does not go with the source.
  """
  if (dataset is None) == (image_dir is None):
    raise errors.InputError(f"Give `dataset` or `image_dir`. Received: {dataset=}, {image_dir=}")
  if dataset is not None and dataset not in SOURCES:
    return prepared.from_tfds(
        dataset, data_dir, download, image_size, downsample, valid_share, classes, seed, split_file
    )
  for name, given in (
      ("downsample", downsample != 1), ("classes", classes is not None),
      ("split_file", split_file is not None), ("download", download),
  ):
    if given:
      raise errors.InputError(f"`{name}` is for tfds sets. Received: {dataset or image_dir}")
  if image_dir is not None:
    return folder.from_folder(image_dir, image_size, seed)
  return SOURCES[dataset](seed, image_size)


def _digits(seed, image_size):
  return embedded.digits(seed, 8 if image_size is None else image_size)


SOURCES = {"digits": _digits}
