"""Packed files: what comes out is what the source that was packed gives for the same arguments."""

import json
import pathlib
import zipfile

import numpy as np
import pytest
from PIL import Image as image_lib

from tfdynnas import data
from tfdynnas import errors
from tfdynnas.data.formats import packed_file
from tfdynnas.data.images import pixels
from tfdynnas.data.images import preparation
from tfdynnas.data.sources import packed

pytest.importorskip("sklearn")

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "tensorflow_datasets"
NAME = "tiny_colours"


def _same(one, other, but=("dataset", "source")):
  """Whether two Data agree in pixels, labels, names, constants and record."""
  records = [{key: value for key, value in each.record.items() if key not in but}
             for each in (one, other)]
  assert records[0] == records[1]
  assert one.class_names == other.class_names
  for name in ("train", "valid", "test"):
    first, second = getattr(one, name), getattr(other, name)
    assert (first is None) == (second is None)
    if first is not None:
      np.testing.assert_array_equal(first.images, second.images)
      np.testing.assert_array_equal(first.labels, second.labels)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
  path = tmp_path_factory.mktemp("packed") / "digits.npz"
  assert data.pack(path, "digits") == {"train": 1797, "classes": 10}
  return path


@pytest.mark.parametrize("arguments", [{}, {"seed": 5, "image_size": (16, 24)}])
def test_digits_are_the_digits(digits, arguments):
  found = data.load(data_file=str(digits), **arguments)
  _same(found, data.load("digits", **arguments))
  assert found.record["source"] == found.record["dataset"] == "digits"


def _fill(root, sizes=((8, 6),), extension="png"):
  """A folder of four images of each of three classes; folders of other names hold others."""
  rng = np.random.default_rng(list(root.name.encode()))
  for number in range(12):
    folder = root / "abc"[number % 3]
    folder.mkdir(parents=True, exist_ok=True)
    pixel = rng.integers(0, 256, (*sizes[number % len(sizes)], 3), np.uint8)
    image_lib.fromarray(pixel).save(folder / f"{number:02d}.{extension}")


@pytest.mark.parametrize("extension", ["png", "bmp"])
@pytest.mark.parametrize("folders", [("",), ("train", "val"), ("train", "val", "test")])
def test_folders_are_the_folders(tmp_path, folders, extension):
  for name in folders:
    _fill(tmp_path / "images" / name, extension=extension)
  (tmp_path / "images" / folders[0] / "a" / "notes.txt").write_text("x")
  counts = data.pack(tmp_path / "p.npz", image_dir=tmp_path / "images")
  assert sum(counts.values()) == 12 * len(folders) + 3
  found = data.load(data_file=str(tmp_path / "p.npz"), seed=3)
  _same(found, data.from_folder(tmp_path / "images", seed=3))
  assert found.record["skipped"] == {".txt": 1} and found.record["dataset"] == ""


def test_a_folder_of_several_sizes_is_resized_as_tensorflow_does(tmp_path):
  _fill(tmp_path / "images", sizes=((8, 6), (31, 20), (5, 9)))
  data.pack(tmp_path / "p.npz", image_dir=tmp_path / "images")
  with pytest.raises(errors.InputError, match="several sizes need `image_size`"):
    data.from_packed(tmp_path / "p.npz")
  found = data.from_packed(tmp_path / "p.npz", image_size=(12, 10))
  wanted = data.from_folder(tmp_path / "images", image_size=(12, 10))
  for name in ("train", "valid", "test"):
    first, second = getattr(found, name), getattr(wanted, name)
    np.testing.assert_array_equal(first.labels, second.labels)
    # float32 sums in another order: a value on the border may be rounded to the other side.
    difference = np.abs(first.images.astype(int) - second.images.astype(int))
    assert difference.max() <= 1 and difference.mean() < 0.03


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
  """(folder, packed file) of a prepared set of 10x8 images, with a test without labels."""
  tf, tfds = pytest.importorskip("tensorflow"), pytest.importorskip("tensorflow_datasets")
  folder = tmp_path_factory.mktemp("prepared")
  images = np.random.default_rng(1).integers(0, 256, (60, 10, 8, 3), np.uint8)

  def dataset(start, stop, labels):
    parts = {"image": images[start:stop], "label": labels[start:stop]}
    return tf.data.Dataset.from_tensor_slices(parts)

  labels = np.arange(60) % 4
  tfds.dataset_builders.store_as_tfds_dataset(
      name=NAME, version="1.0.0", data_dir=str(folder),
      split_datasets={"train": dataset(0, 40, labels), "validation": dataset(40, 50, labels),
                      "test": dataset(50, 60, np.full(60, -1))},
      features=tfds.features.FeaturesDict({
          "image": tfds.features.Image(shape=(10, 8, 3)),
          "label": tfds.features.ClassLabel(num_classes=4)}),
  )
  assert data.pack(folder / "p.npz", NAME, data_dir=str(folder)) == {
      "train": 40, "test": 10, "classes": 4}
  return str(folder), folder / "p.npz"


@pytest.mark.parametrize("arguments", [
    {}, {"seed": 2, "valid_share": 0.2, "classes": 3}, {"downsample": 2}])
def test_tfds_sets_are_the_tfds_sets(tiny, arguments):
  found = data.load(data_file=str(tiny[1]), **arguments)
  _same(found, data.load(NAME, data_dir=tiny[0], **arguments), but=("dataset",))
  assert found.record["dataset"] == NAME and found.record["test_split"] == "validation"


def test_names_of_classes_that_no_line_can_hold(tmp_path, monkeypatch):
  part = packed_file.Part([pixels.png(np.zeros((4, 4, 3), np.uint8))], np.zeros(1, np.int32))
  record = {"kind": "tfds", "dataset": "a", "name": "a/1.0.0", "size": (4, 4),
            "class_names": ["a", "b\x1b"], "test_split": None}
  with pytest.raises(errors.InputError, match=r"of one line.*'b\\x1b' of 'a/1.0.0'"):
    packed_file.save(tmp_path / "p.npz", record, {"train": part})
  with monkeypatch.context() as patch:  # As somebody else's program would write it.
    patch.setattr(packed_file.names_lib, "check", lambda names, source: None)
    packed_file.save(tmp_path / "p.npz", record, {"train": part})
  with pytest.raises(errors.InputError, match=r"of one line.*'b\\x1b' of .*p.npz"):
    packed_file.load(tmp_path / "p.npz")


def test_the_literatures_split_goes_by_the_packed_ids(tmp_path, monkeypatch):
  labels = np.array([6, 1, 0, 9], np.int32)
  part = packed_file.Part([pixels.png(np.full((4, 4, 3), n, np.uint8)) for n in range(4)], labels,
                          np.array([b"train_3", b"train_1", b"train_0", b"train_2"]))
  record = {"kind": "tfds", "dataset": "cifar10", "name": "cifar10/3.0.2", "size": (4, 4),
            "class_names": list("abcdefghij"), "test_split": None}
  packed_file.save(tmp_path / "p.npz", record, {"train": part})

  def literature(split_file, ids, given):
    assert (split_file, ids) == ("s.txt", ["train_3", "train_1", "train_0", "train_2"])
    assert given.tolist() == labels.tolist()
    return np.array([2, 1]), np.array([3, 0])

  monkeypatch.setattr(packed.split, "literature", literature)
  found = data.from_packed(tmp_path / "p.npz", split_file="s.txt")
  assert found.train.images[:, 0, 0, 0].tolist() == [2, 1]
  assert found.valid.labels.tolist() == [9, 6] and found.test is None
  assert (found.record["split"], found.record["seed"]) == ("literature", None)
  assert found.mean[0] == np.float32(125.3)


@pytest.mark.skipif(not SHARED.is_dir(), reason="prepared CIFAR-10 is not there")
def test_cifar10_is_small_and_close(tmp_path):
  path = tmp_path / "p.npz"
  counts = data.pack(path, "cifar10", data_dir=str(SHARED))
  assert counts == {"train": 50_000, "test": 10_000, "classes": 10}
  assert path.stat().st_size < 20_000_000
  wanted = data.load("cifar10", data_dir=str(SHARED), seed=4, classes=2)
  found = data.load(data_file=str(path), seed=4, classes=2)
  np.testing.assert_array_equal(found.train.labels, wanted.train.labels)
  np.testing.assert_array_equal(found.valid.labels, wanted.valid.labels)
  difference = np.abs(found.train.images[:500].astype(int) - wanted.train.images[:500])
  assert difference.max() <= 8 and difference.mean() < 1.5


def test_blocks_and_16_bit_gray_by_hand(tmp_path):
  gray = np.array([[0, 255], [256, 65535]], np.uint16)
  image_lib.fromarray(gray).save(tmp_path / "g.png")
  halved = preparation.Preparation(downsample=2)
  found = pixels.decoded((tmp_path / "g.png").read_bytes(), halved)
  assert found[..., 2].tolist() == [[0, 0], [1, 255]] and found.shape == (2, 2, 3)
  assert pixels.fitted(found, halved).tolist() == [[[64] * 3]]  # (0 + 0 + 1 + 255 + 2) // 4
  wide = np.repeat(np.array([[[10], [20], [60], [80]]], np.uint8), 3, axis=-1)
  # Weights 3/7 and 3/7 of the near two, 1/7 of the third: (30 + 60 + 60) / 7, (20 + 180 + 240) / 7.
  assert pixels.fitted(wide, preparation.Preparation(size=(1, 2)))[0, :, 0].tolist() == [21, 63]


def _rewritten(path, **changed):
  """The file with other arrays; None leaves one out."""
  with np.load(path) as file:
    arrays = {**{name: file[name] for name in file.files}, **changed}
  np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.fixture
def small(tmp_path):
  _fill(tmp_path / "images")
  data.pack(tmp_path / "p.npz", image_dir=tmp_path / "images")
  return tmp_path / "p.npz"


@pytest.mark.parametrize("changed,expected", [
    ({"record": None}, "must be a whole file of tools/pack.py"),
    ({"record": np.frombuffer(b'{"format": 2, "kind": "tfds"}', np.uint8)}, "format 2"),
    ({"record": np.frombuffer(b'{"format": 1, "kind": "tfds"}', np.uint8)}, "Received: name=None"),
    ({"train/bytes": None}, "no training images"),
    ({"train/ends": np.arange(12)}, "do not fill it"),
    ({"train/ends": np.arange(3)}, "several lengths"),
    ({"train/labels": np.zeros(12)}, "other arrays"),
    ({"train/labels": np.r_[[0] * 11, 3].astype(np.int32)},
     r"must be in \[0, 3\). Received: 3 at train image 11"),
    ({"train/labels": np.r_[-1, [0] * 11].astype(np.int32)}, "Received: -1 at train image 0"),
])
def test_files_that_are_none_are_refused(small, changed, expected):
  _rewritten(small, **changed)
  with pytest.raises(errors.InputError, match=expected) as caught:
    data.from_packed(small)
  assert "\n" not in str(caught.value)


def test_damage_is_seen(small, tmp_path):
  whole = small.read_bytes()
  place = whole.index(b"IDAT")
  small.write_bytes(whole[:place] + b"X" + whole[place + 1:])
  with pytest.raises(errors.InputError, match="CRC-32"):
    data.from_packed(small)
  small.write_bytes(whole[:-100])
  with pytest.raises(errors.InputError, match="must be a whole file"):
    data.from_packed(small)
  small.write_bytes(b"text")
  with pytest.raises(errors.InputError, match="must be a whole file"):
    data.from_packed(small)
  for path in (tmp_path / "none.npz", tmp_path):
    with pytest.raises(errors.InputError, match="`data_file` must be a file"):
      data.from_packed(path)


@pytest.mark.parametrize("shape,expected", [
    (b"(12,", "EOF in multi-line statement"), (b"(%d,), }" % 10**14, "Unable to allocate"),
    (b"(%d,), }" % 10**22, "too large to convert")])
def test_headers_of_arrays_that_are_none(small, shape, expected):
  with zipfile.ZipFile(small) as file:
    members = {name: file.read(name) for name in file.namelist()}
  head, rest = members["train/labels.npy"].split(b"(12,), }")
  longer = max(len(shape) - 8, 0)
  members["train/labels.npy"] = head + shape.ljust(8) + rest[longer:]
  with zipfile.ZipFile(small, "w") as file:  # With the right checksums.
    for name, content in members.items():
      file.writestr(name, content)
  with pytest.raises(errors.InputError, match=f"must be a whole file.*{expected}"):
    data.from_packed(small)


def test_a_flipped_bit_that_says_encrypted(small):
  content = bytearray(small.read_bytes())
  content[content.index(b"PK\1\2") + 8] |= 1
  small.write_bytes(content)
  with pytest.raises(errors.InputError, match="must be a whole file.*encrypted"):
    data.from_packed(small)


def test_an_undecodable_image_is_named_by_its_position(small):
  with np.load(small) as file:
    content, ends = file["train/bytes"].copy(), file["train/ends"]
  content[ends[6]:ends[7]] = 0
  _rewritten(small, **{"train/bytes": content})
  with pytest.raises(errors.InputError, match="Received: train image 7: "):
    data.from_packed(small)


def test_an_image_of_another_size_is_named(small):
  with np.load(small) as file:
    record = json.loads(file["record"].tobytes())
  _rewritten(small, record=np.frombuffer(json.dumps({**record, "size": [8, 7]}).encode(), np.uint8))
  with pytest.raises(errors.InputError, match="Received: train image 0: 8x6, not 8x7"):
    data.from_packed(small, seed=0)


def test_what_cannot_be_held_is_refused(small):
  assert data.from_packed(small, held_bytes=12 * 144).record["streamed"] is False
  with pytest.raises(errors.InputError, match="at most 1,727 bytes.*1,728"):
    data.from_packed(small, held_bytes=12 * 144 - 1)


@pytest.mark.parametrize("arguments,expected", [
    ({"dataset": "digits"}, "Give one of `dataset`, `image_dir`, `data_file` and `record_dir`"),
    ({"download": True}, "`download` is for a `dataset` of tfds. Received: True for"),
    ({"crop": "resized"}, "`crop` is for a `dataset` of tfds, `image_dir`, `record_dir`. Rec"),
    ({"repeat": (2, 2)}, "`load` takes .*image_size.*. Received: repeat"),
    ({"classes": 2}, "`classes` is for tfds sets"),
    ({"downsample": 2}, "`downsample` is for tfds sets"),
    ({"split_file": "x"}, "`split_file` is for tfds sets"),
])
def test_arguments_that_do_not_go_together(small, arguments, expected):
  with pytest.raises(errors.InputError, match=expected):
    data.load(data_file=str(small), **arguments)


def test_packing_replaces_nothing_and_leaves_nothing_half(tmp_path, small):
  before = small.read_bytes()
  with pytest.raises(errors.InputError, match="`data_file` must be a new file"):
    data.pack(small, "digits")
  assert small.read_bytes() == before
  (tmp_path / "images" / "a" / "x.png").write_bytes(b"no image")
  with pytest.raises(errors.InputError, match="x.png"):
    data.pack(tmp_path / "q.npz", image_dir=tmp_path / "images")
  assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "p.npz"]
