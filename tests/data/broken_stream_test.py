"""A file that breaks while it is streamed is named, whoever reads it."""

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors
from tfdynnas.data import dataset
from tfdynnas.data import feeds

tf = pytest.importorskip("tensorflow")
NAME = "few_squares"


def _fill(folder):
  """PNGs of two classes: 12 to train, 4 to validate, 4 to test."""
  rng = np.random.default_rng(0)
  for number in range(20):
    part = "train" if number < 12 else "valid" if number < 16 else "test"
    place = folder / part / "ab"[number % 2] / f"{number:02}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(tf.io.encode_png(rng.integers(0, 256, (6, 6, 3), np.uint8)).numpy())


def _folder(folder):
  _fill(folder)
  broken = folder / "train" / "b" / "07.png"
  return broken, {"image_dir": str(folder)}, f"readable. Received: {broken}: Invalid PNG"


def _shards(folder):
  _fill(folder / "images")
  data.write_shards(folder / "images", folder / "shards", 2)
  broken = folder / "shards" / "train-00001-of-00002"
  wanted = f"whole, of Examples with .*. Received: {broken}: truncated record at "
  return broken, {"record_dir": str(folder / "shards")}, wanted


def _tfds(folder):
  tfds = pytest.importorskip("tensorflow_datasets")
  images = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 3), np.uint8)
  parts = {"train": slice(0, 16), "test": slice(16, 20)}
  tfds.dataset_builders.store_as_tfds_dataset(
      name=NAME, version="1.0.0", data_dir=str(folder),
      split_datasets={name: tf.data.Dataset.from_tensor_slices(
          {"image": images[own], "label": np.arange(20)[own] % 2}) for name, own in parts.items()},
      features=tfds.features.FeaturesDict({
          "image": tfds.features.Image(shape=(6, 6, 3)),
          "label": tfds.features.ClassLabel(num_classes=2)}))
  broken = folder / NAME / "1.0.0" / f"{NAME}-train.tfrecord-00000-of-00001"
  wanted = (f"set must be whole. Received: {NAME}/1.0.0, split train, {broken}: record [0-9]+: "
            "truncated record at ")
  return broken, {"dataset": NAME, "data_dir": str(folder)}, wanted


READERS = {
    "training": lambda loaded, feed: _read(feed),
    "class counts": lambda loaded, feed: feed.class_counts(),
    "a sample": lambda loaded, feed: feeds.drawn(loaded.train, 100, 0),
    "evaluation": lambda loaded, feed: list(feeds.evaluation(loaded, loaded.train, 4)),
    "examples": lambda loaded, feed: data.examples(loaded.train, 100),
    "constants": lambda loaded, feed: dataset.measure(loaded.train),
}


def _read(feed):
  with feed.reading():
    for _ in feed.batches(0, 6):
      pass


def _streamed(arguments):
  loaded = data.load(**arguments, image_size=8, crop="resized")
  return loaded, feeds.TrainingFeed(loaded, loaded.train, 4, seed=0)


@pytest.mark.parametrize("source", [_folder, _shards, _tfds])
def test_what_broke_or_is_gone_is_named(source, tmp_path):
  broken, arguments, wanted = source(tmp_path)
  parts = _streamed(arguments)
  broken.write_bytes(broken.read_bytes()[:-30])
  with pytest.raises(errors.InputError, match=wanted) as caught:
    READERS["training"](*parts)
  assert "\n" not in str(caught.value)
  broken.unlink()
  with pytest.raises(errors.InputError, match=f"{broken}"):
    READERS["training"](*parts)


def test_whoever_reads_a_stream_names_what_is_broken(tmp_path):
  broken, arguments, wanted = _folder(tmp_path)
  parts = _streamed(arguments)
  broken.write_bytes(broken.read_bytes()[:-30])
  for name, read in READERS.items():
    with pytest.raises(errors.InputError, match=wanted):
      read(*parts)
      pytest.fail(name)


def test_of_tfds_the_record_is_named_whose_image_is_broken(tmp_path):
  """The record is whole, and what is in it is no image."""
  broken, arguments, _ = _tfds(tmp_path)
  loaded, _ = _streamed(arguments)
  records = list(tf.data.TFRecordDataset(str(broken)).as_numpy_iterator())
  records[5] = records[5].replace(b"\x89PNG", b"\x89PMG")
  with tf.io.TFRecordWriter(str(broken)) as file:
    for record in records:
      file.write(record)
  wanted = f"split train, {broken}: record 5: Unknown image file format"
  with pytest.raises(errors.InputError, match=wanted):
    feeds.drawn(loaded.train, 100, 0)
  with pytest.raises(errors.InputError, match=wanted):  # Held.
    data.load(**arguments)


def test_what_is_no_fault_of_the_files_stays_what_it_is(tmp_path):
  _fill(tmp_path)
  part = data.load(image_dir=str(tmp_path), image_size=8, crop="resized").train
  for kind in (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError):
    with pytest.raises(kind, match="own words"):
      with part.reading():
        raise kind(None, None, "own words")
