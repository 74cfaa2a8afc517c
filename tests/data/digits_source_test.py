"""The embedded digits, and what every Data holds."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors
from tfdynnas.data import dataset

datasets = pytest.importorskip("sklearn.datasets")


def test_pixels_are_the_digits_in_three_equal_colours():
  source = datasets.load_digits()
  loaded = data.digits()
  known = {np.round(image * 255 / 16).astype(np.uint8).tobytes(): label
           for image, label in zip(source.images, source.target)}
  parts = (loaded.train, loaded.valid, loaded.test)
  assert sum(part.size for part in parts) == 1797
  for part in parts:
    assert part.images.dtype == np.uint8 and part.images.shape == (part.size, 8, 8, 3)
    assert part.labels.dtype == np.int32
    assert (part.images == part.images[..., :1]).all()
    for image, label in zip(part.images, part.labels):
      assert known[image[..., 0].tobytes()] == label
  assert loaded.train.images.max() == 255


def test_split_is_stratified_seeded_and_about_50_30_20():
  loaded, again, other = data.digits(3), data.digits(3), data.digits(4)
  assert [part.size for part in (loaded.train, loaded.valid, loaded.test)] == [898, 540, 359]
  counts = np.bincount(datasets.load_digits().target)
  for part, share in ((loaded.train, 0.5), (loaded.valid, 0.3), (loaded.test, 0.2)):
    assert np.abs(np.bincount(part.labels) - share * counts).max() <= 1
  np.testing.assert_array_equal(loaded.train.images, again.train.images)
  assert loaded.record == again.record
  assert loaded.record["fingerprint"] != other.record["fingerprint"]


def test_record_is_json_and_constants_are_measured():
  loaded = data.digits(7)
  record = json.loads(json.dumps(loaded.record))
  assert record == loaded.record
  assert (record["source"], record["split"], record["seed"]) == ("digits", "seeded permutation", 7)
  assert record["sizes"] == {"train": 898, "valid": 540, "test": 359}
  assert record["image_shape"] == [8, 8, 3]
  pixels = loaded.train.images.reshape(-1, 3).astype(np.float64)
  np.testing.assert_allclose(loaded.mean, pixels.mean(0), rtol=1e-6)
  np.testing.assert_allclose(loaded.std, pixels.std(0), rtol=1e-6)
  assert loaded.class_names == tuple("0123456789")


def test_fingerprint_sees_one_pixel_and_one_label():
  loaded = data.digits()
  prints = {dataset.fingerprint([loaded.train])}
  for change in ("images", "labels"):
    copies = {"images": loaded.train.images.copy(), "labels": loaded.train.labels.copy()}
    copies[change].flat[100] ^= 1
    prints.add(dataset.fingerprint([data.Images(**copies)]))
  assert len(prints) == 3


def test_image_size_repeats_pixels():
  small, large = data.digits(1), data.digits(1, image_size=24)
  np.testing.assert_array_equal(large.valid.images[:, 1::3, 2::3], small.valid.images)
  for wrong in (12, (8, 12), (12, 8), 0):
    with pytest.raises(errors.InputError, match="`image_size`.*Received"):
      data.digits(image_size=wrong)
  wide = data.digits(1, image_size=(8, 24))
  np.testing.assert_array_equal(wide.train.images, small.train.images.repeat(3, axis=2))


def test_missing_scikit_learn_is_one_line_with_the_command(monkeypatch):
  monkeypatch.setitem(sys.modules, "sklearn", None)
  with pytest.raises(errors.InputError, match=r"pip install tfdynnas\[digits\]") as caught:
    data.digits()
  assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_out_of_range(seed):
  with pytest.raises(errors.InputError, match="seed"):
    data.digits(seed)


def test_load_knows_the_digits_and_refuses_what_does_not_go_with_them():
  assert data.load("digits", seed=5).record == data.digits(5).record
  for arguments in ({}, {"dataset": "digits", "image_dir": "x"},
                    {"dataset": "digits", "downsample": 2}, {"dataset": "digits", "classes": 5},
                    {"dataset": "digits", "split_file": "x"},
                    {"dataset": "digits", "background": "black"},
                    {"dataset": "digits", "resize": "pad"}, {"dataset": "digits", "holds": 1}):
    with pytest.raises(errors.InputError):
      data.load(**arguments)


def test_import_brings_no_framework():
  code = ("import sys, tfdynnas.data; "
          "print({'tensorflow', 'keras', 'sklearn', 'tensorflow_datasets'} & set(sys.modules))")
  result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
  assert result.stdout.strip() == "set()"
