"""Image folders made of the digits."""

import os
import pathlib
import zlib

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors
from tfdynnas.data.images import header
from tfdynnas.data.sources import folder
from tfdynnas.data.sources import listing

tf = pytest.importorskip("tensorflow")
pytest.importorskip("sklearn")


def _encode(image, extension):
  if extension.lower() == ".png":
    return tf.io.encode_png(image).numpy()
  return tf.io.encode_jpeg(image, quality=100).numpy()


def _fill(root, part, names=("0", "1", "2"), each=10, extension=".png", size=8):
  """Writes `each` images of each class; gives the images by their path."""
  digits, written = data.digits(image_size=size), {}
  for label, name in enumerate(names):
    folder = root / part / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, place in enumerate(np.flatnonzero(digits.train.labels == label)[:each]):
      path = folder / f"{number:02d}{extension}"
      path.write_bytes(_encode(digits.train.images[place], extension))
      written[str(path)] = (digits.train.images[place], label)
  return written


def _pairs(part):
  """Every (pixels, label) of a part, sorted."""
  return sorted((image.tobytes(), int(label)) for images, labels in data.eval_batches(part, 4)
                for image, label in zip(images.numpy(), labels.numpy()))


def test_one_folder_is_split_50_30_20_and_keeps_every_pixel(tmp_path):
  written = _fill(tmp_path, ".")
  loaded = data.from_folder(tmp_path)
  parts = (loaded.train, loaded.valid, loaded.test)
  assert [part.size for part in parts] == [15, 9, 6]
  assert [list(np.bincount(part.labels)) for part in parts] == [[5] * 3, [3] * 3, [2] * 3]
  found = sorted(pair for part in parts for pair in _pairs(part))
  assert found == sorted((image.tobytes(), label) for image, label in written.values())
  assert loaded.class_names == ("0", "1", "2")
  assert loaded.record["split"] == "seeded permutation" and loaded.record["skipped"] == {}
  assert data.from_folder(tmp_path, seed=1).record["fingerprint"] != loaded.record["fingerprint"]


def test_train_and_test_folders(tmp_path):
  _fill(tmp_path, "train")
  test = _fill(tmp_path, "Val", each=4, extension=".PNG")
  loaded = data.from_folder(tmp_path)
  assert [loaded.train.size, loaded.valid.size, loaded.test.size] == [18, 12, 12]
  assert _pairs(loaded.test) == sorted((image.tobytes(), label) for image, label in test.values())
  _fill(tmp_path, "test", each=2)
  loaded = data.from_folder(tmp_path)
  assert [loaded.train.size, loaded.valid.size, loaded.test.size] == [30, 12, 6]
  assert loaded.record["split"] == "folders"


def test_jpeg_and_other_files(tmp_path):
  written = _fill(tmp_path, ".", extension=".JPeG", size=16)
  (tmp_path / "0" / "notes.txt").write_text("x")
  (tmp_path / "1" / "a.tif").write_text("x")
  (tmp_path / "1" / ".DS_Store").write_text("x")
  (tmp_path / "README").write_text("x")
  loaded = data.from_folder(tmp_path)
  assert loaded.record["skipped"] == {".txt": 1, ".tif": 1, listing.HIDDEN: 1}
  assert loaded.record["image_shape"] == [16, 16, 3]
  true_images = np.stack(sorted((image for image, _ in written.values()), key=lambda i: i.sum()))
  found = np.concatenate([part.images for part in (loaded.train, loaded.valid, loaded.test)])
  found = np.stack(sorted(found, key=lambda i: i.sum()))
  assert np.abs(true_images.mean() - found.mean()) < 2


def test_sizes_need_image_size_and_are_resized(tmp_path):
  _fill(tmp_path, ".", each=10)
  _fill(tmp_path, ".", each=2, extension=".jpg", size=24)
  with pytest.raises(errors.InputError, match="image_size.*24x24 in .*jpg, 8x8 in .*png"):
    data.from_folder(tmp_path)
  loaded = data.from_folder(tmp_path, image_size=(16, 12))
  assert loaded.train.images.shape[1:] == (16, 12, 3)
  with pytest.raises(errors.InputError, match="image_size"):
    data.from_folder(tmp_path, image_size=0)


def test_streamed_equals_held(tmp_path):
  _fill(tmp_path, ".")
  held, streamed = data.from_folder(tmp_path), data.from_folder(tmp_path, held_bytes=0)
  assert isinstance(streamed.train, data.Stream) and streamed.record["streamed"]
  for name in ("train", "valid", "test"):
    assert _pairs(getattr(streamed, name)) == _pairs(getattr(held, name))
  np.testing.assert_allclose(streamed.mean, held.mean, rtol=1e-5)
  feed = list(data.train_batches(streamed.train, 4, 3, 2, 9).as_numpy_iterator())
  lookup = list(data.train_batches(held.train, 4, 3, 2, 9).as_numpy_iterator())
  assert len(feed) == 7
  for found, wanted in zip(feed, lookup):
    np.testing.assert_array_equal(found["index"], wanted["index"])
    np.testing.assert_array_equal(found["image"], held.train.images[wanted["index"]])
    np.testing.assert_array_equal(found["label"], held.train.labels[wanted["index"]])
  (tmp_path / "0" / "00.png").write_bytes((tmp_path / "0" / "00.png").read_bytes() + b"x")
  changed = data.from_folder(tmp_path, held_bytes=0)
  assert changed.record["fingerprint"] != streamed.record["fingerprint"]


@pytest.mark.parametrize("held_bytes", [0, data.HELD_BYTES])
def test_a_file_that_is_no_image_is_named(tmp_path, held_bytes):
  _fill(tmp_path, ".")
  (tmp_path / "1" / "03.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
  with pytest.raises(errors.InputError, match="1/03.png") as caught:
    data.from_folder(tmp_path, held_bytes=held_bytes)
  assert "\n" not in str(caught.value)


@pytest.mark.parametrize("arguments", [
    {}, {"held_bytes": 0}, {"image_size": 8, "crop": "resized"}])
def test_an_image_that_breaks_off_is_named(tmp_path, arguments):
  _fill(tmp_path, ".")
  for path in (tmp_path / "2").iterdir():
    path.write_bytes(path.read_bytes()[:60])
  place = f"{tmp_path}/2/0.[.]png"
  wanted = f"^Every image must be readable. Received: {place}: Invalid PNG data, size 60$"
  with pytest.raises(errors.InputError, match=wanted):  # The first of the training images.
    data.from_folder(tmp_path, **arguments)


def test_a_fifo_is_no_image(tmp_path):
  _fill(tmp_path, ".")
  os.mkfifo(tmp_path / "1" / "x.png")
  with pytest.raises(errors.InputError, match="must be a readable JPEG.*1/x.png"):
    data.from_folder(tmp_path)


@pytest.mark.parametrize("name", [b"1/\xff.png", b"1/\xff/x.png", b"\xff/x.png"])
def test_names_that_are_not_utf_8(tmp_path, name):
  _fill(tmp_path / "images", ".")
  path = tmp_path / "images" / os.fsdecode(name)
  path.parent.mkdir(exist_ok=True)
  path.write_bytes((tmp_path / "images" / "1" / "00.png").read_bytes())
  for read in (data.from_folder, lambda place: data.write_shards(place, tmp_path / "shards"),
               lambda place: data.pack(tmp_path / "p.npz", image_dir=place)):
    with pytest.raises(errors.InputError, match=r"must be (of )?UTF-8.*\\udcff") as caught:
      read(tmp_path / "images")
    str(caught.value).encode()


@pytest.mark.parametrize("name", ["a\nb", "a\u2028b", "\x1b[31ma", "a\x85"])
def test_names_of_classes_that_no_line_can_hold(tmp_path, name):
  _fill(tmp_path / "images", ".", names=("1", name))
  for read in (data.from_folder, lambda place: data.write_shards(place, tmp_path / "shards"),
               lambda place: data.pack(tmp_path / "p.npz", image_dir=place)):
    with pytest.raises(errors.InputError, match="of one line, .*images") as caught:
      read(tmp_path / "images")
    assert str(caught.value).isprintable()
  assert not (tmp_path / "shards").exists() and not (tmp_path / "p.npz").exists()


@pytest.mark.parametrize("side", [9_460, 2**32 - 1])
def test_headers_of_images_too_large_to_decode(tmp_path, side):
  written = _fill(tmp_path, ".")
  for path in map(pathlib.Path, written):
    content = path.read_bytes()
    path.write_bytes(_of_size(content, 9_459))
    assert folder.header_size(path) == (9_459, 9_459)
    path.write_bytes(_of_size(content, side))
  with pytest.raises(errors.InputError, match=f"89,478,485 pixels.*{side}x{side} in .*png"):
    data.from_folder(tmp_path, image_size=8)


def _of_size(png, side):
  """The PNG with another size in its header, and the checksum of that."""
  head = png[12:16] + 2 * side.to_bytes(4, "big") + png[24:29]
  return png[:12] + head + zlib.crc32(head).to_bytes(4, "big") + png[33:]


def test_folders_that_cannot_be_used(tmp_path):
  def refused(match):
    with pytest.raises(errors.InputError, match=match) as caught:
      data.load(image_dir=str(tmp_path / "set"))
    assert "\n" not in str(caught.value)

  refused("exists")
  (tmp_path / "set").mkdir()
  refused("two or more class folders.*none")
  (tmp_path / "set" / "x.png").write_bytes(b"x")
  refused("two or more class folders.*none")
  _fill(tmp_path, "set", names=("cat",))
  refused("two or more class folders.*cat")
  (tmp_path / "set" / "dog").mkdir()
  refused("needs images.*dog")
  (tmp_path / "set" / "dog" / "a.tif").write_bytes(b"x")
  refused("needs images.*dog")
  _fill(tmp_path, "set/train", names=("cat", "dog"))
  _fill(tmp_path, "set/test", names=("cat", "cow"))
  refused("classes.*cow")


def test_headers_of_every_kind(tmp_path):
  path = tmp_path / "image"
  image = np.zeros((3, 5, 3), np.uint8)
  bmp = b"BM" + bytes(12) + b"(\0\0\0" + (5).to_bytes(4, "little")  # Rows from the top, 24 bits.
  bmp += (-3).to_bytes(4, "little", signed=True) + b"\1\0\x18\0" + bytes(24)
  for content in (_encode(image, ".png"), _encode(image, ".jpg"), bmp,
                  tf.io.encode_jpeg(image, progressive=True).numpy(),
                  b"GIF89a" + (5).to_bytes(2, "little") + (3).to_bytes(2, "little")):
    path.write_bytes(content)
    assert header.image_size(path) == (3, 5)
  jpeg = _encode(image, ".jpg")
  for content in (b"", b"\xff\xd8\xff", jpeg[:30], jpeg[:100], b"RIFF1234WEBPVP8 ", b"BM"):
    path.write_bytes(content)
    assert header.image_size(path) is None


def test_reserved_folders_links_and_classes_of_any_name(tmp_path):
  _fill(tmp_path / "set", ".", names=("_other", "cat", "dog"))
  (tmp_path / "set" / "cat" / "@eaDir").mkdir()
  (tmp_path / "set" / "cat" / "@eaDir" / "00.png").write_bytes(b"none")
  _fill(tmp_path, "more", names=("x",), each=5)
  (tmp_path / "set" / "dog" / "linked").symlink_to(tmp_path / "more" / "x")
  loaded = data.from_folder(tmp_path / "set", valid_share=0.2, test_share=0.4)
  assert loaded.class_names == ("_other", "cat", "dog")
  assert loaded.record["sizes"] == {"train": 14, "valid": 7, "test": 14}
  assert loaded.record["skipped"] == {"@eaDir/": 1}
  _fill(tmp_path / "set", "train", names=("steam", "electric"))
  with pytest.raises(errors.InputError, match="hold parts.*or classes"):
    data.from_folder(tmp_path / "set")


def test_folders_that_programs_leave_are_no_images(tmp_path):
  _fill(tmp_path, ".", names=("cat", "dog", ".ipynb_checkpoints"))
  _fill(tmp_path, "cat", names=(".ipynb_checkpoints", ".hidden"))
  loaded = data.from_folder(tmp_path)
  assert loaded.class_names == ("cat", "dog") and sum(loaded.record["sizes"].values()) == 20
  assert loaded.record["skipped"] == {".ipynb_checkpoints/": 2, ".hidden/": 1}


def test_one_name_in_two_unicode_forms_is_one_class(tmp_path):
  composed, apart = "p\u00eache", "pe\u0302che"
  _fill(tmp_path, "train", names=(composed, "x"))
  _fill(tmp_path, "test", names=(apart, "x"), each=4)
  loaded = data.from_folder(tmp_path)
  assert loaded.class_names == (composed, "x")
  assert list(np.bincount(loaded.test.labels)) == [4, 4]
  _fill(tmp_path, "test", names=(composed,), each=4)
  with pytest.raises(errors.InputError, match="one folder.*different Unicode forms"):
    data.from_folder(tmp_path)


def test_parts_without_classes_and_links_that_lead_back(tmp_path):
  _fill(tmp_path, "train", names=("cat", "dog"))
  flat = tmp_path / "test"
  flat.mkdir()
  (flat / "00.png").write_bytes((tmp_path / "train" / "cat" / "00.png").read_bytes())
  with pytest.raises(errors.InputError, match="hold class folders, test/CLASS.*Received: .*/test "):
    data.from_folder(tmp_path)
  (tmp_path / "train" / "cat" / "again").symlink_to(tmp_path / "train")
  with pytest.raises(errors.InputError, match="must not lead back.*again"):
    data.from_folder(tmp_path / "train")
