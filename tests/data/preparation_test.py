"""One preparation of images: every format and mode, in TensorFlow as Pillow shows it."""

import io
import itertools
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as image_lib
from PIL import ImageOps as image_ops

from tfdynnas import data
from tfdynnas import errors
from tfdynnas.data.images import header
from tfdynnas.data.images import pixels
from tfdynnas.data.images import preparation

tf = pytest.importorskip("tensorflow")

RNG = np.random.default_rng(0)
RGBA = RNG.integers(0, 256, (12, 20, 4), np.uint8)
MODES = {  # Name of a file -> (Pillow's image, what it is saved with).
    "rgb.png": (image_lib.fromarray(RGBA[..., :3]), {}),
    "rgba.png": (image_lib.fromarray(RGBA), {}),
    "gray.png": (image_lib.fromarray(RGBA[..., 0]), {}),
    "la.png": (image_lib.fromarray(RGBA).convert("LA"), {}),
    "palette.png": (image_lib.fromarray(RGBA[..., :3]).quantize(16), {}),
    "keyed.png": (image_lib.fromarray(RGBA[..., :3]).quantize(16), {"transparency": 3}),
    "one_bit.png": (image_lib.fromarray(RGBA[..., 0]).convert("1"), {}),
    "rgb.bmp": (image_lib.fromarray(RGBA[..., :3]), {}),
    "palette.bmp": (image_lib.fromarray(RGBA[..., :3]).quantize(16), {}),
    "rgb.gif": (image_lib.fromarray(RGBA[..., :3]).quantize(16), {}),
    "rgb.webp": (image_lib.fromarray(RGBA[..., :3]), {"lossless": True}),
    "rgba.webp": (image_lib.fromarray(RGBA), {"lossless": True, "exact": True}),
}


def _encoded(name, image, **options):
  file = io.BytesIO()
  image.save(file, {"bmp": "BMP", "gif": "GIF", "png": "PNG", "webp": "WEBP", "jpg": "JPEG"}[
      name.rpartition(".")[2]], **options)
  return file.getvalue()


def _seen(content, how, key=None):
  return preparation.pixels(content, how, key).numpy()


@pytest.mark.parametrize("name", MODES)
def test_pixels_are_those_that_viewers_show(name):
  image, options = MODES[name]
  content = _encoded(name, image, **options)
  shown = image_lib.open(io.BytesIO(content)).convert("RGBA")
  wanted = image_lib.new("RGBA", shown.size, "white")
  wanted.alpha_composite(shown)
  how = preparation.Preparation(size=(12, 20))
  # Pillow rounds what it lays on the background otherwise, by one.
  away = np.abs(_seen(content, how).astype(int) - np.asarray(wanted)[..., :3])
  assert away.max() <= (1 if shown.getextrema()[3] != (255, 255) else 0)
  np.testing.assert_array_equal(_seen(content, how), pixels.prepared(content, how))


def test_transparency_is_laid_on_the_background_by_hand():
  half = np.zeros([1, 1, 4], np.uint8)
  half[0, 0] = 200, 100, 0, 51  # A fifth of it, and four fifths of the background.
  content = _encoded("a.png", image_lib.fromarray(half))
  for background, wanted in (
      ("white", [244, 224, 204]), ("black", [40, 20, 0]), ("none", [200, 100, 0])
  ):
    how = preparation.Preparation(size=1, background=background)
    assert _seen(content, how).tolist() == [[wanted]]
    assert pixels.prepared(content, how).tolist() == [[wanted]]


@pytest.mark.parametrize("kind, way", list(itertools.product(("png", "jpg", "webp"), range(1, 9))))
def test_orientation_is_obeyed_or_ignored(kind, way):
  exif = image_lib.Exif()
  exif[0x0112] = way
  smooth = np.add.outer(np.arange(16) * 6, np.arange(24) * 5).astype(np.uint8)
  image = image_lib.fromarray(np.stack([smooth, smooth[::-1], 255 - smooth], -1))
  options = {"lossless": True} if kind == "webp" else {"quality": 95} if kind == "jpg" else {}
  content = _encoded(f"a.{kind}", image, exif=exif, **options)
  shown = np.asarray(image_ops.exif_transpose(image_lib.open(io.BytesIO(content))).convert("RGB"))
  stored = np.asarray(image_lib.open(io.BytesIO(content)).convert("RGB"))
  most = 12 if kind == "jpg" else 0  # Two decoders.
  for orientation, wanted in (("exif", shown), ("stored", stored)):
    how = preparation.Preparation(size=wanted.shape[:2], orientation=orientation)
    assert np.abs(_seen(content, how).astype(int) - wanted).max() <= most
    assert np.abs(pixels.prepared(content, how).astype(int) - wanted).max() <= most


def _late_exif(content):
  """A PNG with what turns it behind its pixels."""
  body = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
  chunk = b"eXIf" + body
  return content[:-12] + struct.pack(">I", len(body)) + chunk + (
      struct.pack(">I", zlib.crc32(chunk)) + content[-12:])


def _xmp(content):
  """A JPEG with an orientation that only XMP tells."""
  body = b"http://ns.adobe.com/xap/1.0/\0<rdf:Description tiff:Orientation=\"6\"/>"
  return content[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + content[2:]


@pytest.mark.parametrize("name, more, way", [("a.png", _late_exif, 6), ("a.jpg", _xmp, 1)])
def test_the_header_says_what_the_graph_sees(tmp_path, name, more, way):
  smooth = np.add.outer(np.arange(12) * 6, np.arange(20) * 5).astype(np.uint8)
  content = more(_encoded(name, image_lib.fromarray(np.stack([smooth] * 3, -1))))
  (tmp_path / name).write_bytes(content)
  wanted = np.rot90(smooth, -1) if way == 6 else smooth
  assert header.displayed_size(tmp_path / name) == wanted.shape
  how = preparation.Preparation(size=wanted.shape)
  for seen in (_seen(content, how), pixels.prepared(content, how)):
    assert np.abs(seen[..., 0].astype(int) - wanted).max() <= (12 if way == 1 else 0)


def test_sizes_by_hand():  # Weights 3/7, 3/7, 1/7 of the nearest: 200 / 7, and 120 less that.
  wide = np.zeros([2, 4, 3], np.uint8)
  wide[:] = np.array([0, 40, 80, 120])[None, :, None]
  content = _encoded("a.png", image_lib.fromarray(wide))
  for resize, wanted in (
      ("squash", [[29, 91]] * 2), ("crop", [[40, 80]] * 2), ("pad", [[29, 91], [255, 255]]),
  ):
    how = preparation.Preparation(size=2, resize=resize)
    assert _seen(content, how)[..., 0].tolist() == wanted, resize
    np.testing.assert_array_equal(_seen(content, how), pixels.prepared(content, how))


def test_a_file_of_too_many_pixels_is_not_decoded():
  content = _encoded("a.png", image_lib.fromarray(RGBA[..., :3]))
  how = preparation.Preparation(size=4, max_pixels=239)
  with pytest.raises(tf.errors.InvalidArgumentError, match="at most 239 pixels"):
    _seen(content, how)
  with pytest.raises(ValueError, match="12x20, more than 239 pixels"):
    pixels.prepared(content, how)
  assert _seen(content, preparation.Preparation(size=4, max_pixels=240)).shape == (4, 4, 3)


@pytest.mark.parametrize("wrong", [
    {"background": "red"}, {"orientation": "up"}, {"resize": "stretch"}, {"max_pixels": 0},
    {"resize": "pad"}, {"crop": "resized"}, {"crop": "resized", "size": 4, "resize": "pad"},
])
def test_what_cannot_be_is_refused(wrong):
  with pytest.raises(errors.InputError, match=f"`{list(wrong)[0]}`.*Received: "):
    preparation.Preparation(**wrong)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
  """A folder of images of every mode and of two ratios, some turned."""
  folder = tmp_path_factory.mktemp("photographs")
  turned = image_lib.Exif()
  turned[0x0112] = 6
  for label, name in enumerate(("left", "right")):
    (folder / name).mkdir()
    for number, (file, (image, options)) in enumerate(MODES.items()):
      exif = {"exif": turned} if number % 2 and file.endswith(("png", "webp")) else {}
      content = _encoded(file, image, **options, **exif)
      (folder / name / f"{label}{number}_{file}").write_bytes(content)
  return folder


@pytest.mark.parametrize("settings", [
    {"image_size": 8}, {"image_size": 8, "resize": "pad", "background": "black"},
    {"image_size": (6, 10), "resize": "crop"}, {"image_size": 8, "crop": "resized"},
    {"image_size": 8, "orientation": "stored", "background": "none"},
], ids=str)
def test_files_give_the_pixels_that_are_scored_in_whatever_form(photographs, tmp_path, settings):
  held = data.from_folder(photographs, **settings)
  streamed = data.from_folder(photographs, **settings, held_bytes=0)
  for part in ("train", "valid", "test"):
    for loaded in (held, streamed):
      files, scored = data.examples(getattr(loaded, part))
      assert len(files) == len(scored) > 1
      for file, wanted in zip(files, scored):
        np.testing.assert_array_equal(_seen(file, loaded.preparation), wanted)
  if "crop" not in settings:
    data.pack(tmp_path / "all.npz", image_dir=str(photographs))
    packed = data.load(data_file=str(tmp_path / "all.npz"), **settings)
    away = np.abs(packed.test.images.astype(int) - held.test.images)
    assert away.max() <= 1 and (away > 0).mean() < 0.01  # Sums in another order, then rounded.


def test_files_of_digits_and_of_shards_give_the_pixels_that_are_scored(photographs, tmp_path):
  data.write_shards(photographs, tmp_path / "shards", 1)
  shards = {"record_dir": str(tmp_path / "shards"), "image_size": 8}
  for loaded in (data.load("digits", image_size=16), data.load(**shards, resize="pad")):
    files, scored = data.examples(loaded.test or loaded.valid)
    for file, wanted in zip(files, scored):
      np.testing.assert_array_equal(_seen(file, loaded.preparation), wanted)


def test_a_broken_image_that_is_scored_is_named_before_the_first_step(photographs, tmp_path):
  folder = shutil.copytree(photographs, tmp_path / "images")
  settings = {"image_size": 8, "crop": "resized"}
  loaded = data.from_folder(folder, **settings)
  broken = sorted((folder / "left").glob("*rgb.png"))[0]
  content = broken.read_bytes()
  broken.write_bytes(content[:-40])  # A whole header, and pixels that end too early.
  assert data.from_folder(folder, **settings).test.size == loaded.test.size  # Headers are whole.
  (folder / "test" / "left").mkdir(parents=True)
  (folder / "test" / "right").mkdir()
  (folder / "train").mkdir()
  shutil.copy(broken, folder / "test" / "left")
  shutil.copy(sorted((folder / "right").glob("*rgb.png"))[0], folder / "test" / "right")
  broken.write_bytes(content)
  for name in ("left", "right"):
    (folder / name).rename(folder / "train" / name)
  data.from_folder(folder, **settings)  # A run that goes on does not decode them all again.
  with pytest.raises(errors.InputError, match=rf"readable. Received: .*test/left/{broken.name}: "):
    data.from_folder(folder, **settings, look=True)
