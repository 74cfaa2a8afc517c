"""400 real images, enlarged to JPEGs, as a folder and as shards: decoded, cropped to 224x224."""

import pathlib

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas.data import feeds
from tfdynnas.data.images import augment

tf = pytest.importorskip("tensorflow")

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared/data/tensorflow_datasets"
COUNT, SIZE, BATCH, SEED = 400, 224, 20, 5


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
  """(folder of JPEGs, the same as shards)."""
  if not (SHARED / "cifar10").is_dir():
    pytest.skip(f"needs CIFAR-10 in {SHARED}")
  from tfdynnas.tools import input_speed

  place = tmp_path_factory.mktemp("photos")
  input_speed.write_photos(place / "folder" / "train", str(SHARED), COUNT)
  assert data.write_shards(place / "folder", place / "shards", 4) == {"train": COUNT}
  return place / "folder", place / "shards"


@pytest.fixture(scope="module", params=["folder", "shards"])
def loaded(request, photos):
  """Data of either kind, half of it to train on."""
  kind = {"folder": "image_dir", "shards": "record_dir"}[request.param]
  path = photos[request.param == "shards"]
  return data.load(**{kind: str(path)}, image_size=SIZE, crop="resized", valid_share=0.5)


def _feed(part, shard=(0, 1)):
  return feeds.TrainingFeed(part, part.train, BATCH, SEED, augment.Augmentation(flip=True), shard)


def test_an_epoch_has_each_image_once_and_comes_again_bit_by_bit(loaded):
  steps = loaded.train.size // BATCH
  feed = _feed(loaded)
  whole = list(feed.batches(0, steps).as_numpy_iterator())
  seen = np.concatenate([batch["index"] for batch in whole])
  assert seen.shape == np.unique(seen).shape == (steps * BATCH,) and (seen != np.sort(seen)).any()
  assert 0 <= seen.min() and seen.max() < loaded.train.size
  for batch in whole:  # One by one: in float64 they all would take a gigabyte.
    images = batch["image"]
    assert images.shape == (BATCH, SIZE, SIZE, 3) and images.dtype == np.uint8
    assert min(image.std(axis=(0, 1)).min() for image in images) > 0.1
  mean = np.mean([batch["image"].mean() for batch in whole])
  assert 90 < mean < 150  # Of CIFAR-10, 121.
  last = steps - 3  # A resume in the middle of the epoch, and two workers.
  shares = [_feed(loaded, (worker, 2)).batches(last, steps).as_numpy_iterator()
            for worker in range(2)]
  for wanted, *parts in zip(whole[last:], *shares, strict=True):
    for key in ("index", "image", "label"):
      np.testing.assert_array_equal(np.concatenate([part[key] for part in parts]), wanted[key])
  pixels, labels = feed.prepare({k: tf.constant(v) for k, v in whole[0].items()}, 0)
  assert np.isfinite(pixels).all() and (np.asarray(labels) == whole[0]["label"]).all()
  assert set(np.concatenate([batch["label"] for batch in whole])) == set(range(10))


def test_what_is_scored_is_the_middle_of_the_same_images_in_both(photos):
  folder, shards = (
      data.load(**{kind: str(path)}, image_size=SIZE, crop="resized", valid_share=0.5)
      for kind, path in zip(("image_dir", "record_dir"), photos))
  known = set()
  for part in (folder.train, folder.valid, folder.test):
    if part is not None:
      known |= {(image.tobytes(), int(label)) for _, image, label in
                part.ordered().as_numpy_iterator()}
  for _, image, label in shards.valid.ordered().take(60).as_numpy_iterator():
    assert (image.tobytes(), int(label)) in known
