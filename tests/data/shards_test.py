"""TFRecord shards, written here in the format of ImageNet's usual ones."""

import functools
import json
import os
import shutil

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors
from tfdynnas.data.sources import shards
from tfdynnas.files import atomic

tf = pytest.importorskip("tensorflow")


def _feature(value):
  if isinstance(value, bytes):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
  return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def _write(folder, part, images, labels, count, first=1, **names):
  """Writes images round and round over `count` shards; gives their paths."""
  folder.mkdir(exist_ok=True)
  paths = [folder / f"{part}-{i:05}-of-{count:05}" for i in range(count)]
  for i, path in enumerate(paths):
    with tf.io.TFRecordWriter(str(path)) as file:
      for image, label in zip(images[i::count], labels[i::count]):
        features = {
            "image/encoded":
                image if isinstance(image, bytes) else tf.io.encode_png(image).numpy(),
            "image/class/label": int(label) + first, "image/format": b"PNG",
            **{f"image/class/{key}": texts[label] for key, texts in names.items()},
        }
        wrapped = tf.train.Features(feature={k: _feature(v) for k, v in features.items()})
        file.write(tf.train.Example(features=wrapped).SerializeToString())
  return paths


@pytest.fixture(scope="module")
def written(tmp_path_factory):
  """60 images in 4 training shards and 12 in 2 of validation; labels 1, 2, 3."""
  path, rng = tmp_path_factory.mktemp("written") / "set", np.random.default_rng(0)
  images, labels = rng.integers(0, 256, (72, 6, 6, 3), np.uint8), np.arange(72) % 3
  synsets = [b"n01", b"n02", b"n03"]
  _write(path, "train", images[:60], labels[:60], 4, synset=synsets, text=[b"a", b"b", b"c"])
  _write(path, "validation", images[60:], labels[60:], 2)
  return path, images, labels


@pytest.fixture
def folder(written, tmp_path):
  """Those of `written`, to be changed."""
  path, images, labels = written
  return shutil.copytree(path, tmp_path / "set"), images, labels


@pytest.fixture(scope="module")
def indexed(written, tmp_path_factory):
  """(Data of a folder with its index, the folder)."""
  path = shutil.copytree(written[0], tmp_path_factory.mktemp("indexed") / "set")
  return data.from_shards(path, 6, held_bytes=0), path


def _images(part):
  return [np.concatenate(pieces)
          for pieces in zip(*data.eval_batches(part, 7).as_numpy_iterator())]


@pytest.mark.parametrize("held_bytes", [0, data.HELD_BYTES])
def test_parts_are_the_records(folder, held_bytes):
  path, images, labels = folder
  loaded = data.from_shards(path, 6, valid_share=0.25, held_bytes=held_bytes)
  assert loaded.record["streamed"] == (held_bytes == 0)
  assert loaded.record["sizes"] == {"train": 45, "valid": 15, "test": 12}
  assert loaded.record["test_split"] == "validation"
  assert loaded.class_names == ("n01", "n02", "n03")  # Synsets before texts.
  known = {image.tobytes(): place for place, image in enumerate(images)}
  places = []
  for part in (loaded.train, loaded.valid, loaded.test):
    found, own = _images(part)
    places.append([known[image.tobytes()] for image in found])
    np.testing.assert_array_equal(own, labels[places[-1]])  # 1, 2, 3 become 0, 1, 2.
  assert sorted(places[0] + places[1]) == list(range(60))
  assert sorted(places[2]) == list(range(60, 72))


@pytest.mark.parametrize("crop", ["whole", "resized"])
def test_workers_and_a_resume_see_the_same(folder, crop):
  loaded = data.from_shards(folder[0], 4, valid_share=0.25, held_bytes=0, crop=crop)
  # 45 images in batches of 12: epochs of 4 steps.
  whole = list(data.train_batches(loaded.train, 12, 1, 0, 9).as_numpy_iterator())
  again = data.from_shards(folder[0], 4, valid_share=0.25, held_bytes=0, crop=crop)
  for shard in ((0, 1), (1, 3), (2, 3)):
    own = slice(12 * shard[0] // shard[1], 12 * (shard[0] + 1) // shard[1])
    found = data.train_batches(again.train, 12, 1, 6, 9, shard).as_numpy_iterator()
    for batch, wanted in zip(found, whole[6:], strict=True):
      for key in ("index", "label", "image"):
        np.testing.assert_array_equal(batch[key], wanted[key][own])
  for start in (0, 4):
    epoch = np.concatenate([batch["index"] for batch in whole[start:start + 4]])
    assert sorted(epoch[:45]) == list(range(45))


def test_the_index_is_written_once_and_renewed_for_what_changed(folder, monkeypatch):
  path, images, labels = folder
  load = functools.partial(data.from_shards, path, 6, held_bytes=0)
  first = load()
  index = json.loads((path / "index.json").read_text())
  assert index["train-00000-of-00004"]["records"] == 15 and len(index) == 6
  counted = []
  count = shards._count
  monkeypatch.setattr(shards, "_count", lambda path: counted.append(path) or count(path))
  assert load().record == first.record and not counted
  _write(path, "validation", images[60:66], labels[60:66], 2)
  changed = load()
  assert len(counted) == 2 and changed.record["sizes"]["test"] == 6
  (path / "index.json").write_text("{")
  assert load().record == changed.record and len(counted) == 8
  monkeypatch.setattr(shards.atomic, "write_text", _refuse)
  (path / "index.json").unlink()
  assert load().record == changed.record


@pytest.mark.parametrize("changed", [
    None, 5, {"labels": None}, {"labels": [1]}, {"labels": [3, 1]}, {"labels": ["1", "3"]},
    {"records": "15"}, {"records": 0}, {"records": 10**9}, {"names": []}, {"names": {"1": 1}},
    "deep"])
def test_an_index_of_another_form_is_counted_anew(folder, indexed, changed):
  (first, known), place = indexed, folder[0] / "index.json"
  written = (known / "index.json").read_text()
  index = json.loads(written)
  entry = index["train-00001-of-00004"]
  index["train-00001-of-00004"] = {**entry, **changed} if isinstance(changed, dict) else changed
  place.write_text("[" * 10**5 if changed == "deep" else json.dumps(index))
  again = data.from_shards(folder[0], 6, held_bytes=0)
  but = {"source": None}
  assert again.record | but == first.record | but and again.class_names == first.class_names
  assert json.loads(place.read_text()) == json.loads(written)


@pytest.mark.parametrize("records", [5, 50])
def test_an_index_of_other_shards_is_named(folder, indexed, records):
  index = json.loads((indexed[1] / "index.json").read_text())
  index["train-00001-of-00004"] |= {"records": records, "labels": [1] * records}
  (folder[0] / "index.json").write_text(json.dumps(index))
  _refused(folder[0], "`index.json` must be of the shards.*another .*train-00001-of-00004")


def _refuse(path, text):
  raise PermissionError(13, "Permission denied", str(path))


def test_labels_from_0_and_names_by_number(tmp_path):
  images = np.zeros((8, 4, 4, 3), np.uint8)
  _write(tmp_path, "train", images, np.arange(8) % 2, 1, first=0)
  loaded = data.from_shards(tmp_path, 4, held_bytes=0)
  assert loaded.class_names == ("0", "1") and loaded.test is None
  assert sorted(np.concatenate([loaded.train.labels, loaded.valid.labels])) == [0] * 4 + [1] * 4
  _write(tmp_path, "test", images, np.arange(8) % 2, 1, first=0)
  _write(tmp_path, "validation", images[:3], np.arange(3) % 2, 1, first=0)
  assert data.from_shards(tmp_path, 4, held_bytes=0).record["test_split"] == "test"


def _refused(path, match):
  with pytest.raises(errors.InputError, match=match) as caught:
    data.load(record_dir=str(path), image_size=6)
  assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_shard_is_named(folder, damage):
  shard = folder[0] / "train-00002-of-00004"
  content = bytearray(shard.read_bytes())
  content[len(content) // 2] ^= 1
  shard.write_bytes(content[:-20] if damage == "cut" else content)
  _refused(folder[0], r"whole.*train-00002-of-00004: corrupted record at \d+")


@pytest.mark.parametrize("content,expected", [
    (b"no image", "Unknown image file format"), (b"", "Input is empty"),
    (tf.io.encode_png(np.zeros((6, 6, 3), np.uint8)).numpy()[:50], "Invalid PNG data")])
@pytest.mark.parametrize("arguments", [{}, {"held_bytes": 0}, {"crop": "resized"}])
def test_an_image_that_cannot_be_decoded_is_named(folder, content, expected, arguments):
  path, images, labels = folder
  _write(path, "train", [*images[:41], content, *images[42:60]], labels[:60], 4)
  with pytest.raises(errors.InputError) as caught:
    data.from_shards(path, 6, **arguments)
  assert str(caught.value).startswith(  # Image 41 is that at 10 of the shard 1 of 4.
      f"Every image must be readable. Received: {path / 'train-00001-of-00004'} record 10: "
      f"{expected}")
  assert "{{" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["folder", "link", "fifo"])
def test_a_shard_that_is_no_file(folder, kind):
  shard = folder[0] / "train-00002-of-00004"
  shard.unlink()
  {"folder": os.mkdir, "fifo": os.mkfifo, "link": lambda to: os.symlink("none", to)}[kind](shard)
  _refused(folder[0], "must be a file that is there. Received: .*train-00002-of-00004")


def test_a_folder_is_written_and_read_back(tmp_path):
  rng = np.random.default_rng(0)
  written = []
  for part, count in (("train", 10), ("test", 5)):
    for number in range(count):
      place = tmp_path / "images" / part / f"class{number % 2}" / f"{number}.png"
      place.parent.mkdir(parents=True, exist_ok=True)
      image = rng.integers(0, 256, (4, 5, 3), np.uint8)
      place.write_bytes(tf.io.encode_png(image).numpy())
      written.append((part == "test", image.tobytes(), number % 2))
  whole = (tmp_path / "images" / "test" / "class1" / "3.png").read_bytes()
  (tmp_path / "images" / "test" / "class1" / "3.png").write_bytes(b"none")
  with pytest.raises(errors.InputError, match="3.png"):
    data.write_shards(tmp_path / "images", tmp_path / "shards", 3)
  assert not (tmp_path / "shards").exists()
  (tmp_path / "images" / "test" / "class1" / "3.png").write_bytes(whole)
  (tmp_path / "shards" / ".partial").mkdir(parents=True)  # As if killed while they appeared.
  for name in ("test-00000-of-00003", ".partial/train-00001-of-00003"):
    (tmp_path / "shards" / name).write_bytes(b"x")
  for name, match in ((".partial/own.txt", "left. Received: .*own.txt"),
                      ("train-00000-of-00009", "no shards yet")):  # Of somebody: they stay.
    (tmp_path / "shards" / name).write_bytes(b"x")
    with pytest.raises(errors.InputError, match=match):
      data.write_shards(tmp_path / "images", tmp_path / "shards", 3)
    (tmp_path / "shards" / name).unlink()
  found = data.write_shards(tmp_path / "images", tmp_path / "shards", 3)
  assert len(list((tmp_path / "shards").iterdir())) == 6
  assert found == {"train": 10, "test": 5}
  loaded = data.from_shards(tmp_path / "shards", (4, 5))
  assert loaded.class_names == ("class0", "class1")
  pairs = [(part is loaded.test, image.tobytes(), int(label))
           for part in (loaded.train, loaded.valid, loaded.test)
           for image, label in zip(*_images(part))]
  assert sorted(pairs) == sorted(written)
  with pytest.raises(errors.InputError, match="no shards yet"):
    data.write_shards(tmp_path / "images", tmp_path / "shards", 3)
  with pytest.raises(errors.InputError, match=r"in \[1, 5\].*Received: 6"):
    data.write_shards(tmp_path / "images", tmp_path / "more", 6)
  for name in ("file", "file/more"):
    (tmp_path / "file").touch()
    with pytest.raises(errors.InputError, match=f"folder that can be written.*{name}"):
      data.write_shards(tmp_path / "images", tmp_path / name, 3)
  with pytest.raises(errors.InputError, match="must be UTF-8"):
    data.write_shards(tmp_path / "images", tmp_path / "\udcff", 3)
  place = tmp_path / "taken"
  with atomic.alone(place / "shards", "record_dir"):  # As another process that writes there.
    with pytest.raises(errors.InputError, match="`record_dir` must be free. .*in use by another"):
      data.write_shards(tmp_path / "images", place, 3)
  assert not place.exists()


def test_shards_that_cannot_be_used(folder, tmp_path):
  path, images, labels = folder
  _refused(tmp_path / "none", "must be a folder that exists")
  _refused(tmp_path, "must hold train-00000-of-00008")
  with pytest.raises(errors.InputError, match="need `image_size`"):
    data.load(record_dir=str(path))
  _write(path, "validation", images[60:], labels[60:], 2, first=2)
  _refused(path, "those of the training records, 1 to 3. Received: 2 to 4 in the validation")
  (path / "train-00001-of-00004").unlink()
  _refused(path, "with 3 of 4 train shards")
  other = tmp_path / "other"
  _write(other, "train", images, labels, 1, first=5)
  _refused(other, "from 0 or 1, of two or more classes.*Received: 5 to 7 of 72 records")
  for last in (4, 10**7, 2**40):
    _write(other, "train", images[:4], [0, 1, 2, last], 1, first=0)
    _refused(other, f"no more than training records. Received: 0 to {last} of 4 records")
  _write(other, "train", images[:4], [0, 1, 2, 3], 1, first=0)
  assert len(data.from_shards(other, 6, held_bytes=0).class_names) == 4
  _write(other, "train", images[:4], [0, 1, 0, 1], 1, text=[b"tea", b"caf\xe9"])
  _refused(other, r"class/text must be UTF-8. Received: .*train-00000-of-00001 with b'caf\\xe9'")
  _write(other, "train", images[:4], [0, 1, 0, 1], 1, text=[b"tea", b"te\na"], first=0)
  _refused(other, r"of one line.*Received: 'te\\na' of .*other")
  _refused(tmp_path / "\udcff", "must be a folder that exists")
  (tmp_path / "\udcff").mkdir()
  _refused(tmp_path / "\udcff", "must be UTF-8")
  (shard,) = _write(other, "train", images[:0], labels[:0], 1)
  _refused(other, "must have records.*train-00000-of-00001")
  with tf.io.TFRecordWriter(str(shard)) as file:
    file.write(tf.train.Example().SerializeToString())
  _refused(other, "Examples with.*train-00000-of-00001: Feature: image/")


def test_a_shard_that_is_damaged_after_it_was_counted(folder):
  shard = folder[0] / "train-00002-of-00004"
  loaded = data.from_shards(folder[0], 6, held_bytes=0)
  content = bytearray(shard.read_bytes())
  content[len(content) // 2] ^= 1
  shard.write_bytes(content)
  with pytest.raises(tf.errors.DataLossError, match="corrupted record"):
    list(data.train_batches(loaded.train, 5, 0, 0, 12))
  _refused(folder[0], r"whole.*train-00002-of-00004: corrupted record at \d+")
