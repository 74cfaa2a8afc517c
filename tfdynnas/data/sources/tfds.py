"""Image classification sets prepared by tensorflow_datasets on this machine."""

import contextlib
import difflib
import json
import os
import pathlib
import re
import shlex

import numpy as np

from tfdynnas import errors
from tfdynnas import made_by
from tfdynnas.data import dataset
from tfdynnas.data import split
from tfdynnas.data import streams
from tfdynnas.data.formats import tfds_records
from tfdynnas.data.images import crop as crop_lib
from tfdynnas.data.images import preparation as preparation_lib
from tfdynnas.files import damage
from tfdynnas.files import regular_file

# Published (mean, std) in pixel units; those of other sets are measured.
CONSTANTS = {
    "cifar10": ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
    "cifar100": ((129.3, 124.1, 112.4), (68.2, 65.4, 70.4)),
    "imagenet_resized/16x16": ((122.68, 116.66, 104.01), (63.22, 61.26, 65.09)),
}
LITERATURE = "literature"  # How a set was split.
SEEDED = "seeded permutation"
UNREAD = "split "  # Prefix of a split's name among what is ignored.
# name[/config][:version]: a namespace before the name would make tfds look on the network.
_NAME = r"[a-z0-9_]+(/[^:]+)?(:[0-9.]+)?"


@made_by.recorded("dataset")
def from_tfds(
    name: str, data_dir: str | os.PathLike | None = None, download: bool = False,
    image_size: int | tuple[int, int] | None = None, downsample: int = 1,
    valid_share: float | None = None, classes: int | None = None, seed: int = 0,
    split_file: str | os.PathLike | None = None, held_bytes: int = dataset.HELD_BYTES,
    crop: str = "whole", test_share: float | None = None, look: bool = False, **preparing,
) -> dataset.Data:
  """Loads a tfds set with `image` and `label`; its training split is split for validation.

  Args:
    name: tfds name, such as "cifar10" or "imagenet_resized/16x16".
    data_dir, download: Folder of prepared sets, None for tfds' default; whether to prepare the set.
    image_size: Height and width to resize to, an int or a pair; None keeps the images' size.
    downsample: Side of the blocks whose rounded mean becomes a pixel.
    valid_share, test_share: Shares in (0, 1) of the training split: for validation, None: 0.5; for
      the test, only if the set has none, None: no test.
    classes, seed: Keep only the labels below this number, None keeps all; int, of the split.
    split_file: CIFAR-10 only: text of the published fixed 25k/25k split, instead of `seed`.
    held_bytes, look: Most bytes of pixels to hold, else streamed; whether to decode scored images.
    crop: "whole" or "resized", see `crop`; resized ones are always streamed.
    **preparing: resize, orientation, background, max_pixels: see `preparation.Preparation`.

  Returns:
    Data; its test part is the set's test split, or its validation split if no test has labels.

  Raises:
    InputError: The set or an argument cannot be used; the set is not prepared.

  Example:
    data = nas.data.from_tfds("my_images", data_dir="prepared")  # Or "cifar10", download=True.
  """
  check_split_file(split_file, name)
  preparation = preparation_lib.Preparation(
      size=image_size, crop=crop, downsample=downsample, **preparing)
  builder = open_builder(name, data_dir)
  how = {"valid_share": valid_share, "test_share": test_share}, seed, split_file, held_bytes, look
  with reading(builder):
    return _from_builder(builder, name, data_dir, download, preparation, classes, how)


def _from_builder(builder, name, data_dir, download, preparation, classes, how):
  """The result of `from_tfds`."""
  own = own_size(builder, name)
  if not (own or preparation.size):
    raise errors.InputError(f"{name} has images of many sizes: it needs `image_size`")
  names = kept_classes(builder.info.features["label"].names, classes)
  prepare(builder, name, data_dir, download)
  return _load(tfds_records.Source(builder, preparation.of_size(own), len(names)), names, *how)


def _load(source, names, shares, seed, split_file, held_bytes, look):
  """Reads the parts, or opens them as streams."""
  name, test_split = source.builder.info.full_name, find_test(source)
  check_shares(name, split_file, test_split, **shares)
  cut, how = _places(source, shares, seed, split_file)
  chosen = [("train", places) for places in cut]
  chosen += [(test_split, source.kept(test_split))] if test_split else []
  preparation = source.preparation
  size = sum(len(places) for _, places in chosen) * int(np.prod(preparation.image_shape))
  held = preparation.crop == "whole" and size <= held_bytes
  parts = [(source.held if held else source.stream)(*part) for part in chosen]
  parts += [None] * (3 - len(parts))
  record = describe(name, how, seed, shares, test_split, preparation.downsample)
  record |= {"skipped": unread(source, test_split), **crop_lib.record(preparation.crop)}
  known = crop_lib.constants(preparation.crop, names) or constants(name)
  streams.look_at(parts[1:] if look else ())
  return dataset.assemble(parts, names, record, known, preparation)


def unread(source, test_split):
  """The ignored splits of a set: dict, UNREAD and the name of a split -> its number of images."""
  splits = source.builder.info.splits
  return {f"{UNREAD}{name}": splits[name].num_examples for name in splits
          if name not in ("train", test_split)}


def check_shares(name, split_file, test_split, valid_share, test_share):
  """Raises InputError if a share was given that the split of the set does not use."""
  if split_file is not None:
    split.refuse_share(split_file, valid_share=valid_share, test_share=test_share)
  if test_split:
    split.refuse_share(f"{name} with a {test_split} split", test_share=test_share)


def describe(full_name, how, seed, shares, test_split, downsample):
  """The record of a set: its source, and how it was split."""
  shares = {name: share for name, share in shares.items() if share is not None}
  if how == LITERATURE:  # Which uses neither.
    seed, shares = None, {"valid_share": None}
  return {
      "source": f"tfds {full_name}", "split": how, "seed": seed,
      "valid_share": split.VALID_SHARE, **shares,
      "test_split": test_split, "downsample": downsample,
  }


def check_split_file(split_file, name):
  """Raises InputError if a split file is given for a set that takes none."""
  if split_file is not None and not takes_split_file(name):
    raise errors.InputError(f"`split_file` is for cifar10. Received: dataset={name}")


def takes_split_file(name):
  """Whether the published fixed split belongs to the set with this name."""
  return re.fullmatch(r"cifar10([:/][0-9.]+)?", name) is not None


def check_no_tfds(source, downsample, classes, split_file):
  """Raises InputError if an argument for tfds sets was given for another source."""
  for name, given in (
      ("downsample", downsample != 1), ("classes", classes is not None),
      ("split_file", split_file is not None),
  ):
    if given:
      raise errors.InputError(f"`{name}` is for tfds sets. Received: {source}")


def constants(full_name):
  """Published (mean, std) of a set such as "cifar10/3.0.2", whatever its version, or None."""
  return CONSTANTS.get(full_name.rpartition("/")[0])


def open_builder(name, data_dir):
  """The set's builder; nothing is looked up on the network."""
  import tensorflow_datasets as tfds

  try:
    if not re.fullmatch(_NAME, name):
      raise tfds.core.DatasetNotFoundError(name)
    return tfds.builder(name, data_dir=data_dir)
  except tfds.core.DatasetNotFoundError:
    near = difflib.get_close_matches(name, ["digits", *tfds.list_builders()])
    hint = f" Did you mean: {', '.join(near)}?" if near else ""
    raise errors.InputError(
        f"`dataset` must be `digits` or the name of a tfds set. Received: {name}.{hint}"
    ) from None
  except Exception as error:  # For damaged files, tfds may raise anything.
    raise errors.InputError(
        f"tfds cannot open the set. Received: {name}{_damaged_json(name, data_dir)}: "
        f"{_reason(error)}"
    ) from error


def _damaged_json(name, data_dir):
  """The file of a set that is no JSON, for a message; else the folder of its JSON files."""
  import tensorflow_datasets as tfds

  folder = pathlib.Path(data_dir or tfds.core.constants.DATA_DIR, re.split("[/:]", name)[0])
  found = sorted([*folder.rglob("dataset_info.json"), *folder.rglob("features.json")])
  for path in found:
    try:
      json.loads(regular_file.read_text(path))
    except damage.KINDS:
      return f", {path}"
  return f", dataset_info.json and features.json in {found[0].parent}" if found else ""


def _reason(error):
  return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


@contextlib.contextmanager
def reading(builder):
  """Context that turns errors about a damaged set into one line that names the file.

  Args:
    builder: The set's builder.

  Raises:
    InputError: Reading failed, but not for lack of memory.
  """
  import tensorflow as tf

  try:
    yield
  except (errors.InputError, MemoryError, tf.errors.ResourceExhaustedError):
    raise
  except Exception as error:  # Any, depending on the damage.
    _check_splits(builder)
    raise errors.InputError(
        "Every file of a tfds set must be whole. Received: dataset_info.json and features.json in "
        f"{builder.data_path}: {_reason(error)}") from error


def _check_splits(builder):
  """Raises InputError that names the first damaged record."""
  try:
    for split_name in builder.info.splits:
      tfds_records.Source(builder, None, 0).check(split_name)
  except errors.InputError:
    raise
  except Exception:  # Then the JSON files that describe the records are damaged.
    pass


def own_size(builder, name):
  """The (height, width) of the images of a set, None if they differ.

  Raises:
    InputError: It has no images with labels.
  """
  import tensorflow_datasets as tfds

  features = builder.info.features
  # Some sets are a sequence or a pair, not a dict of features.
  features = features if isinstance(features, tfds.features.FeaturesDict) else {}
  image, label = (features[key] if key in features else None for key in ("image", "label"))
  if not (isinstance(image, tfds.features.Image) and isinstance(label, tfds.features.ClassLabel)):
    raise errors.InputError(
        "A data set needs the features `image` (an image) and `label` (a class). "
        f"Received: {name} with {', '.join(features) or 'neither'}"
    )
  if image.shape[-1] not in (1, 3):
    raise errors.InputError(
        f"Images must have 1 or 3 channels. Received: {name} with {image.shape[-1]}"
    )
  return None if None in image.shape[:2] else tuple(image.shape[:2])


def kept_classes(names, classes):
  """Names of the kept labels, as a tuple.

  Args:
    names: Sequence of str, all labels of the set.
    classes: Keep only the labels below this number; None keeps all.

  Raises:
    InputError: The set has fewer labels, or fewer than two would be kept.
  """
  classes = len(names) if classes is None else classes
  if not 2 <= classes <= len(names):
    raise errors.InputError(
        f"`classes` must be between 2 and the set's {len(names)}. Received: {classes=}"
    )
  return tuple(names[:classes])


def prepare(builder, name, data_dir, download):
  """Prepares a set if needed, and checks that it has a training split in TFRecord files."""
  if not builder.is_prepared():
    if not download:
      raise errors.InputError(_how_to_prepare(builder, name, data_dir))
    builder.download_and_prepare()
  if "train" not in builder.info.splits:
    raise errors.InputError(
        f"A data set needs a split `train`. Received: {name} with {', '.join(builder.info.splits)}"
    )
  found = builder.info.file_format.value
  if found != "tfrecord":
    raise errors.InputError(f"A tfds set must be prepared as tfrecord. Received: {name} as {found}")


def _how_to_prepare(builder, name, data_dir):
  """A line with the exact command that prepares a set."""
  # A JSON string is a Python string in double quotes, which single quotes protect from a shell.
  place = f", data_dir={json.dumps(str(data_dir))}" if data_dir is not None else ""
  code = (
      "import tensorflow_datasets as tfds; "
      f"tfds.builder({json.dumps(name)}{place}).download_and_prepare()"
  )
  return (
      f"A tfds set must be prepared before it is read. Received: {name}, of which nothing is in "
      f"{builder.data_path}. Download it with: python -c {shlex.quote(code)}"
  )


def _places(source, shares, seed, split_file):
  """(positions in the training split of each part cut from it, how they were chosen)."""
  if split_file is not None:
    ids, labels = source.facts("train", "id", "label")
    ids = [name.decode() for name in ids]
    return split.literature(split_file, ids, labels), LITERATURE
  kept = source.kept("train")
  return [kept[places] for places in split.seeded(len(kept), seed, **shares)], SEEDED


def find_test(source):
  """Name of the split to test on: the first with labels, which the tests of challenges lack."""
  for name in ("test", "validation"):
    info = source.builder.info.splits.get(name)
    if info and info.num_examples and source.facts(name, "label", first=1)[0][0] >= 0:
      return name
  return None
