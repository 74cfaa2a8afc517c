"""Photographs that are not square: trained on, scored, and the network of an arch, in one chain."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from tfdynnas import config
from tfdynnas import data as data_lib
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas import spaces
from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.jobs import setup

SPACE = spaces.nasbench201(channels=2, cells=1, image_size=(8, 12), classes=2)
SIZES = (8, 12), (10, 20), (9, 9), (24, 16)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
  """A folder of two classes: red and blue, of several sizes."""
  folder, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
  for number in range(48):
    pixels = rng.integers(0, 120, (*SIZES[number % 4], 3), np.uint8)
    pixels[..., number // 4 % 2 * 2] += 120
    place = folder / ("red", "blue")[number // 4 % 2] / f"{number}.png"
    place.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(place)
  return folder


def test_train_score_and_subnet(photographs, tmp_path):
  run_dir = jobs.RunDir(tmp_path / "run", create=True)
  data = config.DataConfig(image_dir=str(photographs), image_size="8x12")
  jobs.train_supernet(
      run_dir, data, config.SpaceConfig(channels=2, cells=1),
      config.SupernetConfig(epochs=1, batch=8, pad=1), config.DeviceConfig())
  stored = json.loads((run_dir.path / "config.json").read_text())
  assert stored["data"]["image_size"] == "8x12" and stored["images"]["image_shape"] == [8, 12, 3]
  assert setup.stored_space(run_dir.config()) == SPACE
  arch = (3, 1, 2, 0, 3, 4)
  ranked = jobs.run_rank(run_dir, config.RankConfig(archs=f"#{SPACE.index(arch)}", score_images=8))
  assert ranked["ranked"]["count"] == 1
  result = jobs.train_subnet(run_dir, config.SubnetConfig(
      arch=SPACE.format(arch), subnet_epochs=1, subnet_batch=8))
  assert result["macs"] == SPACE.cost(arch, "macs")
  served = keras.saving.load_model(result["model"], compile=False)
  assert served.input_shape == (None, 8, 12, 3)
  run_dir.close()


def test_random_crops_have_the_height_and_the_width(photographs):
  loaded = data_lib.load(image_dir=str(photographs), image_size=(8, 12), crop="resized")
  feed = feeds.TrainingFeed(loaded, loaded.train, 8, 0, augment.Augmentation(flip=True))
  images, _ = next(iter(feed.prepared(0, 1)))
  assert images.shape == (8, 8, 12, 3)
  scored, _ = next(iter(data_lib.eval_batches(loaded.valid, 4)))
  assert scored.shape == (4, 8, 12, 3) and scored.dtype == np.uint8


@pytest.mark.parametrize("size, message", [
    ("8x10", r"`image_size` must be a multiple of 4. Received: \(8, 10\)"),
    ("", "Images of several sizes need `image_size`"),
])
def test_a_size_that_does_not_fit_leaves_nothing(photographs, tmp_path, size, message):
  run_dir = jobs.RunDir(tmp_path / "run", create=True)
  with pytest.raises(errors.InputError, match=message):
    jobs.train_supernet(
        run_dir, config.DataConfig(image_dir=str(photographs), image_size=size),
        config.SpaceConfig(channels=2, cells=1), config.SupernetConfig(), config.DeviceConfig())
  assert not (tmp_path / "run").exists()
