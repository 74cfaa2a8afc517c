"""A prepared tfds set of which a file was cut or flipped is refused in one line that names it."""

import random
import shutil

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors

tf = pytest.importorskip("tensorflow")
tfds = pytest.importorskip("tensorflow_datasets")

DAMAGES = 12
NAME = "few_squares"
FILES = ("dataset_info.json", "features.json", f"{NAME}-train.tfrecord-00000-of-00001")


@pytest.fixture(scope="module")
def few(tmp_path_factory):
  """A prepared set of 12 images in one file."""
  folder = tmp_path_factory.mktemp("prepared")
  images = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 3), np.uint8)
  tfds.dataset_builders.store_as_tfds_dataset(
      name=NAME, version="1.0.0", data_dir=str(folder),
      split_datasets={"train": tf.data.Dataset.from_tensor_slices(
          {"image": images, "label": np.arange(12) % 2})},
      features=tfds.features.FeaturesDict({
          "image": tfds.features.Image(shape=(4, 4, 3)),
          "label": tfds.features.ClassLabel(num_classes=2)}),
  )
  return folder


@pytest.mark.parametrize("name", FILES)
def test_what_is_cut_or_flipped_is_read_or_refused_by_name(few, tmp_path, name):
  shutil.copytree(few / NAME, tmp_path / NAME)
  path, rng, refused = tmp_path / NAME / "1.0.0" / name, random.Random(0), 0
  whole = path.read_bytes()
  for number in range(DAMAGES):
    damaged = bytearray(whole)
    damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    path.write_bytes(damaged[:len(whole) if number % 2 else rng.randrange(len(whole))])
    try:
      data.from_tfds(NAME, str(tmp_path))
    except errors.InputError as error:
      refused += 1
      assert name in str(error) or "tfds" in str(error) or "data set" in str(error), str(error)
      assert len(str(error)) < 900
  assert refused >= DAMAGES / 2
