"""One function for every source, which tools call: it chooses the source by the arguments."""

import importlib.util

from tfdynnas import errors
from tfdynnas import registry
from tfdynnas.data import dataset as dataset_lib
from tfdynnas.data.sources import folder
from tfdynnas.data.sources import packed
from tfdynnas.data.sources import shards
from tfdynnas.data.sources import tfds


def load(
    dataset: str | None = None, image_dir: str | None = None, data_dir: str | None = None,
    download: bool = False, image_size: int | tuple[int, int] | None = None, downsample: int = 1,
    classes: int | None = None, valid_share: float | None = None, split_file: str | None = None,
    seed: int = 0, data_file: str | None = None, record_dir: str | None = None,
    crop: str = "whole", test_share: float | None = None, look: bool = False, **preparing,
) -> dataset_lib.Data:
  """Loads the digits, a folder of images, a tfds set, TFRecord shards, or a packed file of these.

  Args:
    dataset: "digits" or a tfds name; give one of it, `image_dir`, `data_file` and `record_dir`.
    image_dir: Folder with one folder per class.
    data_dir, download: Folder of prepared tfds sets; whether to prepare a missing one.
    image_size: Height and width of the images, an int or a pair; None keeps their own.
    downsample: tfds only: side of the blocks whose mean becomes a pixel.
    classes: tfds only: keep the labels below this number.
    valid_share, test_share: Shares in (0, 1) to split off; None: the source's default.
    split_file, seed: CIFAR-10 only: the published fixed split; int, of any other split.
    data_file, record_dir: Packed file of tools/pack.py; folder of TFRecord shards.
    crop, look: "whole" or "resized"; whether to decode scored images first, to find broken ones.
    **preparing: resize, orientation, background, max_pixels: see `preparation.Preparation`.

  Returns:
    Data.

  Raises:
    InputError: An argument is unusable, or does not apply to the source.

  Example:
    data = nas.data.load(dataset="digits", image_size=16)
  """
  _check_one(dataset=dataset, image_dir=image_dir, data_file=data_file, record_dir=record_dir)
  asked = image_size, downsample, valid_share, classes, seed, split_file
  if data_file is not None or dataset in registry.DATASETS:
    return _held(dataset, data_file, download, crop, asked, test_share, preparing)
  more = {"crop": crop, "test_share": test_share, "look": look, **preparing}
  return _streamed(dataset, image_dir, record_dir, data_dir, download, asked, more)


def _streamed(dataset, image_dir, record_dir, data_dir, download, asked, more):
  """The sources that TensorFlow reads."""
  _check_tensorflow(source := dataset or image_dir or record_dir)
  if dataset is not None:
    return tfds.from_tfds(dataset, data_dir, download, *asked, **more)
  image_size, downsample, valid_share, classes, seed, split_file = asked
  tfds.check_no_tfds(source, downsample, classes, split_file, download)
  read = shards.from_shards if image_dir is None else folder.from_folder
  return read(source, image_size, seed=seed, valid_share=valid_share, **more)


def _held(dataset, data_file, download, crop, asked, test_share, preparing):
  """The sources that are read without TensorFlow, and decoded once."""
  if crop != "whole":
    raise errors.InputError(
        "`crop` resized needs tfds, a folder or shards. "
        f"Received: {crop} for {data_file or dataset}"
    )
  if data_file is not None:
    tfds.check_no_tfds(data_file, download=download)
    return packed.from_packed(data_file, *asked, test_share=test_share, **preparing)
  image_size, downsample, valid_share, classes, seed, split_file = asked
  if preparing.get("resize", "squash") != "squash":
    raise errors.InputError(
        f"`resize` needs files of other sizes. Received: {preparing['resize']} for {dataset}"
    )
  tfds.check_no_tfds(dataset, downsample, classes, split_file, download)
  given = {"image_size": image_size} if image_size is not None else {}
  read = registry.find(registry.DATASETS, dataset, "dataset")
  return read(seed=seed, valid_share=valid_share, test_share=test_share, **given)


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
