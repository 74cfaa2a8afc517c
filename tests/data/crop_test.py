"""Random-resized crops and the middle, against geometry by hand and Python's own arithmetic."""

import math

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors
from tfdynnas.data.images import crop
from tfdynnas.data.images import preparation

tf = pytest.importorskip("tensorflow")


def _bits(*tries):
  """uint32 [10, 4] whose first tries have these shares; the others ask for too much width."""
  rest = [(1.0, 1.0, 0.0, 0.0)] * (10 - len(tries))
  return np.minimum(np.array([*tries, *rest]) * 2.0**32, 2**32 - 1).astype(np.uint32)


def _window(height, width, *tries):
  return crop.window(tf.constant(height), tf.constant(width), _bits(*tries)).numpy().tolist()


def _cut(content, size, key=None):
  return preparation.pixels(content, preparation.Preparation(size=size, crop="resized"), key)


def test_a_crop_by_hand():
  # Area share 0.5 -> 0.08 + 0.92 / 2 = 0.54; ratio share 0.5 -> exp(0) = 1: a square of
  # sqrt(0.54 * 300 * 400) = 254.56 -> 255. Rows 0..45, half of 46 values: 23; columns 72 of 0..145.
  assert _window(300, 400, (0.5, 0.5, 0.5, 0.5)) == [23, 73, 255, 255]
  # Ratio 3:4, width over height: sqrt(9600 / 0.75) = 113.1 and sqrt(9600 * 0.75) = 84.9.
  assert _window(300, 400, (0.0, 0.0, 0.0, 0.0)) == [0, 0, 113, 85]


def test_tries_that_do_not_fit_are_passed_over():
  # All of 100 x 400 as a square of 200: too high.
  assert _window(100, 400, (1.0, 0.5, 0, 0), (1.0, 0.5, 0, 0), (0.0, 0.5, 0, 0)) == [0, 0, 57, 57]


@pytest.mark.parametrize("height, width, wanted", [
    # 4:3 at most: 100 x 133.3, from column (400 - 133) // 2; 3:4 at least: 133 x 100.
    (100, 400, [0, 133, 100, 133]), (400, 100, [133, 0, 133, 100]), (1, 9, [0, 4, 1, 1]),
])
def test_without_a_try_that_fits_the_middle_is_cut(height, width, wanted):
  assert _window(height, width, *[(1.0, 0.5, 0, 0)] * 10) == wanted


def test_windows_follow_the_description():
  """The loop as it is described, in Python's floats."""
  compared = 0
  for step in range(40):
    height, width, wanted = 40 + 7 * step, 300 - 5 * step, None
    bits = crop.draws(3, step, 11).numpy().astype(np.float64) / 2**32
    for area, ratio, row, column in bits:
      area = height * width * (0.08 + 0.92 * area)
      ratio = math.exp(math.log(3 / 4) + (math.log(4 / 3) - math.log(3 / 4)) * ratio)
      h, w = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
      if 0 < h <= height and 0 < w <= width:
        wanted = [int(row * (height - h + 1)), int(column * (width - w + 1)), h, w]
        break
    found = crop.window(tf.constant(height), tf.constant(width), crop.draws(3, step, 11))
    compared += wanted is not None
    assert wanted is None or found.numpy().tolist() == wanted
  assert compared > 30


def test_draws_depend_on_seed_step_and_index():
  seen = {crop.draws(seed, step, index).numpy().tobytes()
          for seed in (0, 1) for step in (0, 1) for index in (0, 1)}
  assert len(seen) == 8


def _gradient(height, width):
  """An image whose red is its row and whose green is its column."""
  rows, columns = np.mgrid[:height, :width]
  return np.stack([rows, columns, 0 * rows], -1).astype(np.uint8)


def test_the_middle_by_hand():
  # 7 of 8 of the short side, as 224 of 256: for size 7, the short side of 16 becomes 8: pixels are
  # means about pairs; 16 x 32 becomes 8 x 16, of which rows round(.5) = 0 and columns round(4.5)
  # = 4 begin. Triangles of antialiasing keep a gradient's values: those of centres 2 i + 0.5.
  image = tf.io.encode_png(_gradient(16, 32))
  found = _cut(image, 7).numpy()
  assert found.shape == (7, 7, 3)
  np.testing.assert_array_equal(found[2, :, 1], np.round(2 * np.arange(4, 11) + 0.5))
  np.testing.assert_array_equal(found[1:, 2, 0], np.round(2 * np.arange(1, 7) + 0.5))


def test_a_jpeg_is_decoded_as_far_as_its_crop(tmp_path):
  rng = np.random.default_rng(0)
  smooth = tf.image.resize(rng.integers(0, 256, (6, 8, 3)), (60, 80))
  content = tf.io.encode_jpeg(tf.cast(smooth, tf.uint8), quality=95)
  as_png = tf.io.encode_png(tf.io.decode_jpeg(content))
  for index in range(20):
    pair = [_cut(c, 32, (0, 5, index)) for c in (content, as_png)]
    one, other = (image.numpy().astype(int) for image in pair)
    assert one.shape == (32, 32, 3)
    assert abs(one - other).mean() < 1  # Colours at the border of a crop lack what lies beyond.


def test_enlarging_and_reducing_agree_with_the_antialiased_resize():
  image = np.random.default_rng(0).integers(0, 256, (9, 12, 3)).astype(np.uint8)
  for size in ((9, 12), (20, 30), (5, 30), (4, 4)):
    wanted = np.round(tf.image.resize(image, size, antialias=True).numpy())
    found = crop.resized(tf.constant(image), size).numpy().astype(int)
    assert abs(found - wanted).max() <= 1 and (found != wanted).mean() < 0.01


def test_gray_and_palette_images_have_three_colours():
  gray = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)
  for content in (tf.io.encode_png(gray), tf.io.encode_jpeg(gray)):
    for key in (None, (0, 0, 0)):
      assert _cut(content, 4, key).shape == (4, 4, 3)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
  """A folder of JPEGs and PNGs of several sizes in two classes."""
  root = tmp_path_factory.mktemp("photographs")
  rng = np.random.default_rng(1)
  for number in range(24):
    folder = root / f"class{number % 2}"
    folder.mkdir(exist_ok=True)
    image = rng.integers(0, 256, (20 + number, 44 - number, 3), np.uint8)
    encode = tf.io.encode_png if number % 3 else tf.io.encode_jpeg
    path = folder / f"{number:02}.{'png' if number % 3 else 'jpg'}"
    path.write_bytes(encode(image).numpy())
  return str(root)


def _feed(loaded, first, last, shard=(0, 1), seed=2):
  return list(data.train_batches(loaded.train, 4, seed, first, last, shard).as_numpy_iterator())


def test_a_folder_is_cropped_to_train_and_cut_in_the_middle_to_score(photographs):
  loaded = data.from_folder(photographs, image_size=16, crop="resized")
  assert loaded.train.cropped and loaded.record["crop"] == "resized" and loaded.record["streamed"]
  whole = _feed(loaded, 0, 6)
  assert whole[0]["image"].shape == (4, 16, 16, 3)
  # An epoch of 12 images has 3 steps: the same images come again, cropped otherwise.
  epochs = [{int(i): image for batch in half for i, image in zip(batch["index"], batch["image"])}
            for half in (whole[:3], whole[3:])]
  assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(12))
  assert all((epochs[0][i] != epochs[1][i]).any() for i in range(12))
  # In the middle of an epoch, and on several workers, the same.
  for found, wanted in zip(_feed(loaded, 4, 6), whole[4:]):
    np.testing.assert_array_equal(found["image"], wanted["image"])
  halves = [_feed(loaded, 4, 6, (worker, 2)) for worker in range(2)]
  for step, wanted in enumerate(whole[4:]):
    found = np.concatenate([half[step]["image"] for half in halves])
    np.testing.assert_array_equal(found, wanted["image"])
  assert (_feed(loaded, 0, 1, seed=3)[0]["image"] != whole[0]["image"]).any()


def test_what_is_scored_and_measured_is_not_drawn(photographs):
  loaded = data.from_folder(photographs, image_size=16, crop="resized")
  ordered = {int(i): image.tobytes() for i, image, _ in loaded.valid.ordered().as_numpy_iterator()}
  for i, image, _ in loaded.valid.shuffled(5, 4, 0, 3).as_numpy_iterator():
    assert image.tobytes() == ordered[int(i)]
  again = data.from_folder(photographs, image_size=16, crop="resized")
  assert again.record == loaded.record
  whole = data.from_folder(photographs, image_size=16)
  assert "crop" not in whole.record and not whole.record["streamed"]
  assert whole.record["fingerprint"] != loaded.record["fingerprint"]


def test_a_tfds_set_of_photographs(tmp_path):
  """As imagenet2012: JPEGs of many sizes, and a validation split to test on."""
  tfds = pytest.importorskip("tensorflow_datasets")
  rng = np.random.default_rng(0)
  smooth = [tf.image.resize(rng.uniform(0, 255, (3, 4, 3)), (20 + n, 50 - n)) for n in range(30)]
  images = [tf.cast(image, tf.uint8).numpy() for image in smooth]

  def dataset(start, stop):
    def elements():
      for number in range(start, stop):
        yield {"image": images[number], "label": number % 3}
    return tf.data.Dataset.from_generator(elements, output_signature={
      "image": tf.TensorSpec([None, None, 3], tf.uint8), "label": tf.TensorSpec([], tf.int64)})

  tfds.dataset_builders.store_as_tfds_dataset(
    name="photographs", version="1.0.0", data_dir=str(tmp_path),
    split_datasets={"train": dataset(0, 24), "validation": dataset(24, 30)},
    features=tfds.features.FeaturesDict({
      "image": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
      "label": tfds.features.ClassLabel(num_classes=3)}))
  loaded = data.load("photographs", data_dir=str(tmp_path), image_size=16, crop="resized")
  assert loaded.record["sizes"] == {"train": 12, "valid": 12, "test": 6}
  assert loaded.record["crop"] == "resized" and loaded.train.cropped
  whole = _feed(loaded, 0, 6)
  for found, wanted in zip(_feed(loaded, 4, 6, (1, 2)), whole[4:]):
    np.testing.assert_array_equal(found["image"], wanted["image"][2:])
  wanted = [_cut(tf.io.encode_png(image), 16).numpy().astype(int)
            for image in images[24:]]
  for _, image, label in loaded.test.ordered().as_numpy_iterator():  # tfds has mixed them.
    away = [abs(one - image).mean() for one in wanted]
    assert min(away) < 4 and label == np.argmin(away) % 3


def test_constants_of_imagenet():
  names = ["n01440764", *[f"n{i}" for i in range(998)], "n15075141"]
  assert crop.constants("resized", names)[0] == (123.675, 116.28, 103.53)
  assert crop.constants("whole", names) is None
  assert crop.constants("resized", names[:-1]) is None


def test_crops_that_cannot_be(photographs):
  for arguments, match in (
      ({"crop": "resized"}, "needs `image_size`"), ({"crop": "middle"}, "one of whole, resized"),
  ):
    with pytest.raises(errors.InputError, match=match):
      data.from_folder(photographs, **arguments)
  with pytest.raises(errors.InputError, match="`crop` is for a `dataset` of tfds, `image_dir`"):
    data.load("digits", image_size=8, crop="resized")
  with pytest.raises(errors.InputError, match="downsample"):
    data.load("cifar10", image_size=8, crop="resized", downsample=2)
