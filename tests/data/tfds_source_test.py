"""Sets of tensorflow_datasets: a small one written here, and CIFAR-10 where it is prepared."""

import pathlib
import shlex

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors

tf = pytest.importorskip("tensorflow")
tfds = pytest.importorskip("tensorflow_datasets")

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "tensorflow_datasets"
NAME = "tiny_squares"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
  """A prepared set of gray 8x6 images in several files; its test split has no labels."""
  folder = tmp_path_factory.mktemp("prepared")
  images = np.random.default_rng(0).integers(0, 256, (400, 8, 6, 1), np.uint8)
  labels = np.arange(400) % 4

  def dataset(start, stop, label):
    return tf.data.Dataset.from_tensor_slices(
      {"image": images[start:stop], "label": label[start:stop]})

  tfds.dataset_builders.store_as_tfds_dataset(
    name=NAME, version="1.0.0", data_dir=str(folder),
    split_datasets={"train": dataset(0, 300, labels), "validation": dataset(300, 360, labels),
                    "test": dataset(360, 400, np.full(400, -1))},
    features=tfds.features.FeaturesDict({
      "image": tfds.features.Image(shape=(8, 6, 1)),
      "label": tfds.features.ClassLabel(num_classes=4)}),
    download_config=tfds.download.DownloadConfig(num_shards=3),
  )
  known = {np.repeat(image, 3, -1).tobytes(): place for place, image in enumerate(images)}
  return str(folder), images, labels, known


def _images(part):
  return [np.concatenate(pieces)
          for pieces in zip(*data.eval_batches(part, 64).as_numpy_iterator())]


@pytest.mark.parametrize("held_bytes", [0, data.HELD_BYTES])
def test_parts_are_the_records(tiny, held_bytes):
  folder, _, labels, known = tiny
  loaded = data.from_tfds(NAME, folder, valid_share=0.2, held_bytes=held_bytes)
  assert loaded.record["streamed"] == (held_bytes == 0)
  assert loaded.record["sizes"] == {"train": 240, "valid": 60, "test": 60}
  assert loaded.record["test_split"] == "validation"
  assert loaded.record["source"] == f"tfds {NAME}/1.0.0"
  places = []
  for part in (loaded.train, loaded.valid, loaded.test):
    images, found = _images(part)
    places.append([known[image.tobytes()] for image in images])
    np.testing.assert_array_equal(found, labels[places[-1]])
  assert sorted(places[0] + places[1]) == list(range(300))
  assert sorted(places[2]) == list(range(300, 360))


def test_stream_and_held_split_alike_and_the_stream_resumes(tiny):
  held = data.from_tfds(NAME, tiny[0], seed=2)
  streamed = data.from_tfds(NAME, tiny[0], seed=2, held_bytes=0)
  np.testing.assert_array_equal(_images(streamed.valid)[0], held.valid.images)
  whole = list(data.train_batches(streamed.train, 40, 1, 0, 9).as_numpy_iterator())
  resumed = list(data.train_batches(streamed.train, 40, 1, 5, 9).as_numpy_iterator())
  assert len(resumed) == 4
  for found, wanted in zip(resumed, whole[5:]):
    np.testing.assert_array_equal(found["index"], wanted["index"])
    np.testing.assert_array_equal(found["image"], wanted["image"])
    np.testing.assert_array_equal(found["image"], held.train.images[found["index"]])
    np.testing.assert_array_equal(found["label"], held.train.labels[found["index"]])
  for start in (0, 4):
    epoch = np.concatenate([element["index"] for element in whole[start:start + 4]])
    assert sorted(epoch[:150]) == list(range(150))


@pytest.mark.parametrize("held_bytes", [0, data.HELD_BYTES])
def test_downsample_is_the_rounded_mean_and_classes_are_filtered(tiny, held_bytes):
  folder, images, labels, _ = tiny
  loaded = data.from_tfds(NAME, folder, downsample=2, classes=3, held_bytes=held_bytes)
  wanted = []
  for place in np.flatnonzero(labels[:300] < 3):
    blocks = images[place, :, :, 0].reshape(4, 2, 3, 2).astype(np.float64).mean((1, 3))
    wanted.append((np.floor(blocks + 0.5).astype(np.uint8).tobytes(), labels[place]))
  found = [(image[..., 0].tobytes(), label) for part in (loaded.train, loaded.valid)
           for image, label in zip(*_images(part))]
  assert sorted(found) == sorted(wanted)
  assert loaded.record["image_shape"] == [4, 3, 3]
  assert loaded.class_names == ("0", "1", "2")


def test_image_size(tiny):
  larger = data.from_tfds(NAME, tiny[0], image_size=(8, 12), downsample=2, held_bytes=0)
  assert larger.train.image_shape == (4, 6, 3)
  ((images, _),) = data.eval_batches(larger.test, 60).as_numpy_iterator()
  assert images.shape == (60, 4, 6, 3)
  for arguments in ({"image_size": 0}, {"downsample": 4}, {"downsample": 0}, {"classes": 5},
                    {"classes": 1}, {"valid_share": 1.0}, {"split_file": "x"}):
    with pytest.raises(errors.InputError, match=next(iter(arguments))):
      data.load(NAME, data_dir=tiny[0], **arguments)


def test_unprepared_is_one_line_with_the_command(tmp_path, monkeypatch):
  def network(*_, **__):
    raise AssertionError("the network was tried")

  monkeypatch.setattr("socket.socket.connect", network)
  monkeypatch.setattr("socket.getaddrinfo", network)
  with pytest.raises(errors.InputError) as caught:
    data.load("cifar10", data_dir=str(tmp_path))
  line = str(caught.value)
  assert "\n" not in line
  command = shlex.split(line[line.index("python -c"):])
  assert command[:2] == ["python", "-c"]
  compile(command[2], "command", "exec")
  assert f'tfds.builder("cifar10", data_dir="{tmp_path}").download_and_prepare()' in command[2]


@pytest.mark.parametrize("name, match", [
  ("cifar11", "Did you mean.*cifar10"), ("nobody_has_this", "nobody_has_this"),
  ("huggingface:mnist", "huggingface:mnist"), ("../x", r"\.\./x"), ("mnist:9.9.9", "9.9.9"),
  ("coco", "`label`.*objects"), ("imagenet2012", "image_size"),
])
def test_unusable_names_are_one_line(tmp_path, name, match):
  with pytest.raises(errors.InputError, match=match) as caught:
    data.from_tfds(name, str(tmp_path))
  assert "\n" not in str(caught.value)


@pytest.fixture
def cifar10():
  if not (SHARED / "cifar10").is_dir():
    pytest.skip(f"no prepared CIFAR-10 in {SHARED}")
  return str(SHARED)


def test_cifar10(cifar10):
  loaded = data.from_tfds("cifar10", cifar10, downsample=2, classes=2, held_bytes=0)
  assert loaded.record["sizes"] == {"train": 5000, "valid": 5000, "test": 2000}
  assert loaded.record["split"] == "seeded permutation" and loaded.record["seed"] == 0
  assert loaded.class_names == ("airplane", "automobile")
  assert loaded.train.image_shape == (16, 16, 3)
  np.testing.assert_allclose(loaded.mean, (125.3, 123.0, 113.9), rtol=1e-6)
  np.testing.assert_allclose(loaded.std, (63.0, 62.1, 66.7), rtol=1e-6)
  images, labels = next(data.eval_batches(loaded.train, 500).as_numpy_iterator())
  assert set(labels) == {0, 1} and 100 < images.mean() < 150


def test_cifar10_in_another_order_refuses_the_literatures_split(cifar10):
  # This copy numbers its records train_00000 to train_49999 too, but by an order of its own.
  with pytest.raises(errors.InputError, match="original order"):
    data.load("cifar10", data_dir=cifar10, split_file="unread")
