"""One set in several forms: folder, shards and packed file give the same parts, shares obeyed."""

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors

tf = pytest.importorskip("tensorflow")
PARTS = {"whole": ("",), "valid": ("train", "val"), "test": ("train", "test"),
         "both": ("train", "val", "test")}


@pytest.fixture(scope="module", params=PARTS)
def forms(request, tmp_path_factory):
  """(key of PARTS, the arguments of each form): ten images of each of three classes, in parts."""
  place = tmp_path_factory.mktemp(request.param)
  for number, part in enumerate(PARTS[request.param]):
    for label, name in enumerate("abc"):
      folder = place / "images" / part / name
      folder.mkdir(parents=True)
      generator = np.random.default_rng([number, label])
      for image in range(10):
        pixels = generator.integers(0, 256, (6, 6, 3), np.uint8)
        (folder / f"{image}.png").write_bytes(tf.io.encode_png(pixels).numpy())
  data.write_shards(place / "images", place / "shards", 2)
  data.pack(place / "packed.npz", image_dir=place / "images")
  return request.param, [
      {"image_dir": str(place / "images")}, {"data_file": str(place / "packed.npz")},
      {"record_dir": str(place / "shards"), "image_size": 6}]


def _pairs(part):
  """Every (pixels, label) of a part, sorted."""
  return sorted((image.tobytes(), int(label)) for images, labels in data.eval_batches(part, 7)
                for image, label in zip(images.numpy(), labels.numpy()))


def test_every_form_has_the_same_parts(forms):
  key, arguments = forms
  loaded = [data.load(**form, seed=3) for form in arguments]
  sizes = {"whole": [15, 9, 6], "valid": [18, 12, 30], "test": [18, 12, 30], "both": [30] * 3}[key]
  folder, *others = [[_pairs(part) for part in (one.train, one.valid, one.test)] for one in loaded]
  assert [len(part) for part in folder] == sizes and others == [folder, folder]
  known = [pair for part in folder for pair in part]
  assert len(set(known)) == len(known) == 30 * len(PARTS[key])  # Disjoint, and nothing is left.


def test_shares_are_obeyed_or_refused_in_every_form(forms):
  key, arguments = forms
  asked = {"valid_share": 0.1, "test_share": 0.2}
  obeyed = {"whole": asked, "both": {}}.get(key, {"valid_share": 0.1})
  # One and two of the ten images of each class.
  sizes = {"whole": [21, 3, 6], "both": [30] * 3}.get(key, [27, 3, 30])
  for form in arguments:
    streamed = {} if "data_file" in form else {"held_bytes": 0}  # Pixels do not matter.
    assert list(data.load(**form, **streamed, **obeyed).record["sizes"].values()) == sizes
    for name in asked.keys() - obeyed:
      with pytest.raises(errors.InputError, match=f"`{name}` is for images that are not split"):
        data.load(**form, **{name: asked[name]})


def test_shares_of_the_digits():
  pytest.importorskip("sklearn")
  loaded = data.digits(valid_share=0.1, test_share=0.25)
  parts = [np.bincount(part.labels) for part in (loaded.train, loaded.valid, loaded.test)]
  for counts, share in zip(parts, (0.65, 0.1, 0.25)):
    assert np.abs(counts - share * sum(parts)).max() <= 1


def test_shares_of_a_dataset():
  def dataset(size):
    images = np.random.default_rng(size).integers(0, 256, (size, 2, 2, 3), np.uint8)
    return tf.data.Dataset.from_tensor_slices((images, np.arange(size) % 3))

  for held_bytes in (0, data.HELD_BYTES):
    loaded = data.from_dataset(dataset(60), class_names="abc", valid_share=0.1, test_share=0.2,
                               held_bytes=held_bytes)
    assert loaded.record["sizes"] == {"train": 42, "valid": 6, "test": 12}
    parts = [_pairs(part) for part in (loaded.train, loaded.valid, loaded.test)]
    assert len(set(sum(parts, []))) == 60
  for given, share in (({"valid": 9}, "valid_share"), ({"valid": 9}, "test_share"),
                       ({"test": 9}, "test_share")):
    others = {name: dataset(size) for name, size in given.items()}
    with pytest.raises(errors.InputError, match=f"`{share}` is for images that are not split"):
      data.from_dataset(dataset(60), **others, **{share: 0.1})


@pytest.mark.parametrize("others", [{}, {"validation": 12}])
def test_shares_of_a_tfds_set_and_of_its_packed_file(tmp_path, others):
  tfds = pytest.importorskip("tensorflow_datasets")
  images = np.random.default_rng(1).integers(0, 256, (40, 4, 4, 3), np.uint8)

  def made(size):
    parts = {"image": images[:size], "label": np.arange(size) % 2}
    return tf.data.Dataset.from_tensor_slices(parts)

  tfds.dataset_builders.store_as_tfds_dataset(
      name="tiny_shares", version="1.0.0", data_dir=str(tmp_path),
      split_datasets={"train": made(40), **{name: made(n) for name, n in others.items()}},
      features=tfds.features.FeaturesDict({
          "image": tfds.features.Image(shape=(4, 4, 3)),
          "label": tfds.features.ClassLabel(num_classes=2)}))
  data.pack(tmp_path / "p.npz", "tiny_shares", data_dir=str(tmp_path))
  for form in ({"dataset": "tiny_shares", "data_dir": str(tmp_path)},
               {"data_file": str(tmp_path / "p.npz")}):
    if others:
      sizes = data.load(**form, valid_share=0.1).record["sizes"]
      assert sizes == {"train": 36, "valid": 4, "test": 12}
      with pytest.raises(errors.InputError, match="`test_share` is for images that are not split"):
        data.load(**form, test_share=0.2)
    else:
      sizes = data.load(**form, valid_share=0.1, test_share=0.2).record["sizes"]
      assert sizes == {"train": 28, "valid": 4, "test": 8}
