"""Image classification sets that tensorflow_datasets has prepared on this machine."""

import difflib
import json
import re
import shlex

import numpy as np

from tfdynnas import errors
from tfdynnas.data import crop as crop_lib
from tfdynnas.data import records
from tfdynnas.data import resize
from tfdynnas.data import sets
from tfdynnas.data import split

# Published normalisation, in pixel units; other sets are measured.
CONSTANTS = {
    "cifar10": ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
    "cifar100": ((129.3, 124.1, 112.4), (68.2, 65.4, 70.4)),
    "imagenet_resized/16x16": ((122.68, 116.66, 104.01), (63.22, 61.26, 65.09)),
}
LITERATURE = "literature"  # How a split came about.
SEEDED = "seeded permutation"
# name[/config][:version]: a namespace before the name would make tfds look on the network.
_NAME = r"[a-z0-9_]+(/[^:]+)?(:[0-9.]+)?"


def from_tfds(
    name, data_dir=None, download=False, image_size=None, downsample=1, valid_share=0.5,
    classes=None, seed=0, split_file=None, held_bytes=sets.HELD_BYTES, crop="whole",
):
  """Loads a tfds set with `image` and `label`; its training split is split for validation.

  `test` is the set's test split, or its validation split if it has no labelled test.

  Args:
    name: tfds name, such as "cifar10" or "imagenet_resized/16x16".
    data_dir: Folder of prepared sets; None stands for tfds' own default.
    download: Download and prepare the set if it is not there.
    image_size: Height and width to resize to, an int or a pair; None keeps the images' size.
    downsample: Block side: images become the rounded means of blocks of pixels.
    valid_share: Share in (0, 1) of the training split that goes to validation.
    classes: Keep only the labels below this number; None keeps all.
    seed: int in [0, 2**32), of the split.
    split_file: CIFAR-10 only: text with the literature's fixed 25k/25k split, instead of `seed`.
    held_bytes: A set with more bytes of pixels than this is streamed.
    crop: "whole" or "resized", see `crop`; resized ones are always streamed.

  Returns:
    Data.

  Raises:
    InputError: The set or an argument cannot be used; the set is not prepared.
  """
  check_split_file(split_file, name)
  crop_lib.check(crop, image_size, downsample)
  builder = open_builder(name, data_dir)
  shape = _image_shape(builder, name, image_size, downsample)
  names = kept_classes(builder.info.features["label"].names, classes)
  prepare(builder, name, data_dir, download)
  size = resize.size_pair(image_size)
  source = records.Source(builder, size, downsample, shape, len(names), crop)
  return _load(source, names, valid_share, seed, split_file, held_bytes)


def _load(source, names, valid_share, seed, split_file, held_bytes):
  """Reads the parts, or opens them as streams."""
  train, valid, how = _places(source, valid_share, seed, split_file)
  test_split = find_test(source)
  test = source.kept(test_split) if test_split else ()
  count = len(train) + len(valid) + len(test)
  held = source.crop == "whole" and count * int(np.prod(source.image_shape)) <= held_bytes
  part = source.held if held else source.stream
  parts = part("train", train), part("train", valid), test_split and part(test_split, test)
  name = source.builder.info.full_name
  record = describe(name, how, seed, valid_share, test_split, source.downsample)
  record |= crop_lib.record(source.crop)
  known = crop_lib.constants(source.crop, names) or constants(name)
  return sets.assemble(parts, names, record, known)


def describe(full_name, how, seed, valid_share, test_split, downsample):
  """The record of a set: where its parts come from."""
  if how == LITERATURE:  # Neither has a say then.
    seed = valid_share = None
  return {
      "source": f"tfds {full_name}", "split": how, "seed": seed, "valid_share": valid_share,
      "test_split": test_split, "downsample": downsample,
  }


def check_split_file(split_file, name):
  """Raises InputError if there is a split file and it is of another set than that of the name."""
  if split_file is not None and not takes_split_file(name):
    raise errors.InputError(f"`split_file` is for cifar10. Received: dataset={name}")


def takes_split_file(name):
  """Whether the literature's fixed split is one of the set of that name."""
  return re.fullmatch(r"cifar10([:/][0-9.]+)?", name) is not None


def check_no_tfds(source, downsample=1, classes=None, split_file=None, download=False):
  """Raises InputError if an argument that is for tfds sets was given to another source."""
  for name, given in (
      ("downsample", downsample != 1), ("classes", classes is not None),
      ("split_file", split_file is not None), ("download", download),
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
  except (ValueError, AssertionError, OSError, ImportError, RuntimeError) as error:
    reason = " ".join(str(error).split())[:300]
    raise errors.InputError(f"tfds cannot open the set. Received: {name}: {reason}") from None


def _image_shape(builder, name, image_size, downsample):
  """(height, width, 3) of what will come out."""
  own = own_size(builder, name)
  height_width = resize.size_pair(image_size) or own
  if height_width is None:
    raise errors.InputError(f"{name} has images of many sizes: it needs `image_size`")
  resize.check_downsample(height_width, downsample)
  return height_width[0] // downsample, height_width[1] // downsample, 3


def own_size(builder, name):
  """(height, width) of the images of a set, None if they differ.

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
  """Names of the labels that are kept, as a tuple.

  Args:
    names: Sequence of str, all labels of the set.
    classes: Keep only the labels below this number; None keeps all.

  Raises:
    InputError: The set has fewer, or one class is no classification.
  """
  classes = len(names) if classes is None else classes
  if not 2 <= classes <= len(names):
    raise errors.InputError(
        f"`classes` must be between 2 and the set's {len(names)}. Received: {classes=}"
    )
  return tuple(names[:classes])


def prepare(builder, name, data_dir, download):
  """Sees to it that there is a training split in TFRecord files."""
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
  """One line with the exact command that prepares a set."""
  # JSON strings are Python strings in double quotes, which a shell leaves alone in single ones.
  place = f", data_dir={json.dumps(str(data_dir))}" if data_dir is not None else ""
  code = (
      "import tensorflow_datasets as tfds; "
      f"tfds.builder({json.dumps(name)}{place}).download_and_prepare()"
  )
  return (
      f"A tfds set must be prepared before it is read. Received: {name}, of which nothing is in "
      f"{builder.data_path}. Download it with: python -c {shlex.quote(code)}"
  )


def _places(source, valid_share, seed, split_file):
  """(training positions, validation positions, how they came about)."""
  if split_file is not None:
    ids, labels = source.facts("train", "id", "label")
    ids = [name.decode() for name in ids]
    return *split.literature(split_file, ids, labels), LITERATURE
  kept = source.kept("train")
  train, valid = split.seeded(len(kept), valid_share, seed)
  return kept[train], kept[valid], SEEDED


def find_test(source):
  """Name of the split to test on: the first with labels; challenges publish a test without."""
  for name in ("test", "validation"):
    info = source.builder.info.splits.get(name)
    if info and info.num_examples and source.facts(name, "label", first=1)[0][0] >= 0:
      return name
  return None
