"""Augmentation against plain loops, and the hash against published and independent values."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import hashing
from tfdynnas.data.images import augment

MEAN, STD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)


def _numpy(tensor):
  return keras.ops.convert_to_numpy(tensor)


def _murmur(seed, words):
  """MurmurHash3_x86_32 in Python integers, from its description."""
  mask = 2**32 - 1

  def rotate(value, count):
    return (value << count | value >> (32 - count)) & mask

  state = seed
  for word in words:
    word = rotate((word & mask) * 0xCC9E2D51 & mask, 15) * 0x1B873593 & mask
    state = (rotate(state ^ word, 13) * 5 + 0xE6546B64) & mask
  state ^= 4 * len(words)
  state = (state ^ state >> 16) * 0x85EBCA6B & mask
  state = (state ^ state >> 13) * 0xC2B2AE35 & mask
  return state ^ state >> 16


@pytest.mark.parametrize("seed, words, expected", [
  (1, [], 0x514E28B7), (0, [0x87654321], 0xF55B516B), (0x5082EDEE, [0x87654321], 0x2362F9DE),
  (0, [0], 0x2362F9DE),
])
def test_hash_gives_the_published_values(seed, words, expected):
  assert int(hashing.uniform_uint32(seed, *words)) == expected
  assert _murmur(seed, words) == expected


def test_hash_broadcasts_and_counts_modulo_2_32():
  rows, columns = np.array([[0], [-1], [2**31 - 1]], np.int32), np.arange(4, dtype=np.int32)
  bits = _numpy(hashing.uniform_uint32(9, 3, rows, columns))
  assert bits.shape == (3, 4) and bits.dtype == np.uint32
  for row in range(3):
    for column in range(4):
      assert bits[row, column] == _murmur(9, [3, int(rows[row, 0]), column])


def test_integers_are_the_high_word_of_the_product():
  bits = np.array([0, 1, 2**16, 2**31, 2**32 - 1, 0x89ABCDEF], np.uint32)
  for bound in (1, 2, 9, 15_625, 65_536):
    expected = [int(value) * bound >> 32 for value in bits]
    found = hashing.integers(bits, bound)
    assert keras.backend.standardize_dtype(found.dtype) == "int32"
    np.testing.assert_array_equal(_numpy(found), expected)


def test_hash_refuses():
  for seed in (-1, 2**32):
    with pytest.raises(errors.InputError, match="seed"):
      hashing.uniform_uint32(seed, 1)
  for bound in (0, 65_537):
    with pytest.raises(errors.InputError, match="bound"):
      hashing.integers(np.zeros(1, np.uint32), bound)


def test_hash_is_uniform_over_consecutive_counters():
  # Chi-square with k - 1 degrees of freedom: mean k - 1, deviation sqrt(2 (k - 1)).
  steps, index = np.arange(300, dtype=np.int32)[:, None], np.arange(300, dtype=np.int32)
  for bound in (2, 5, 9, 1000):
    drawn = _numpy(hashing.integers(hashing.uniform_uint32(0, steps, index), bound)).ravel()
    expected = len(drawn) / bound
    chi = ((np.bincount(drawn, minlength=bound) - expected)**2 / expected).sum()
    assert abs(chi - (bound - 1)) < 4 * np.sqrt(2 * (bound - 1))
  # Neighbours are independent: each of the 25 pairs is equally likely.
  drawn = _numpy(hashing.integers(hashing.uniform_uint32(0, steps, index), 5))
  for first, second in ((drawn[:-1], drawn[1:]), (drawn[:, :-1], drawn[:, 1:])):
    expected = first.size / 25
    chi = ((np.bincount((5 * first + second).ravel()) - expected)**2 / expected).sum()
    assert abs(chi - 24) < 4 * np.sqrt(48)


def _augmented_by_loops(images, index, flips, dys, dxs, pad):
  height, width = images.shape[1:3]
  rows = []
  for place, flip, dy, dx in zip(index, flips, dys, dxs):
    image = images[place][:, ::-1] if flip else images[place]
    padded = np.zeros((height + 2 * pad, width + 2 * pad, 3), np.uint8)
    padded[pad:pad + height, pad:pad + width] = image
    crop = padded[dy:dy + height, dx:dx + width].astype(np.float64)
    rows.append((crop - MEAN) / STD)
  return np.stack(rows)


@pytest.fixture
def images():
  return np.random.default_rng(0).integers(0, 256, (20, 6, 5, 3), np.uint8)


@pytest.mark.parametrize("form", ["set", "packed", "batch"])
@pytest.mark.parametrize("pad, flip", [(0, False), (0, True), (2, False), (3, True)])
def test_batch_equals_plain_loops(images, form, pad, flip):
  index = np.random.default_rng(1).integers(0, 20, 64).astype(np.int32)
  flips, dys, dxs = (_numpy(drawn) for drawn in augment.draws(5, 77, index, pad))
  expected = _augmented_by_loops(images, index, flips & flip, dys, dxs, pad)
  given = {"set": (images, index, None), "packed": (augment.pack(images), index, None),
           "batch": (images[index], np.arange(64, dtype=np.int32), index)}[form]
  how = augment.Augmentation(pad, flip)
  found = augment.train_images(*given[:2], 77, 5, how, MEAN, STD, sample_ids=given[2])
  assert keras.backend.standardize_dtype(found.dtype) == "float32"
  np.testing.assert_allclose(_numpy(found), expected, atol=1e-5)


def test_pads_are_minus_mean_over_std(images):
  index = np.arange(20, dtype=np.int32)
  _, dys, _ = (_numpy(drawn) for drawn in augment.draws(0, 0, index, 2))
  found = _numpy(augment.train_images(images, index, 0, 0, augment.Augmentation(2), MEAN, STD))
  top = found[dys == 0][:, 0]
  assert len(top)
  np.testing.assert_allclose(top, np.broadcast_to(-np.divide(MEAN, STD), top.shape), rtol=1e-6)


def test_draws_cover_their_range_and_do_not_depend_on_the_batch():
  index = np.arange(4000, dtype=np.int32)
  flips, dys, dxs = (_numpy(drawn) for drawn in augment.draws(1, 2, index, 4))
  assert abs(flips.mean() - 0.5) < 0.04
  assert set(dys) == set(dxs) == set(range(9))
  assert abs(np.corrcoef([flips, dys, dxs]) - np.eye(3)).max() < 0.06
  for half in (slice(0, 2000), slice(2000, 4000)):
    again = augment.draws(1, 2, index[half], 4)
    np.testing.assert_array_equal(_numpy(again[1]), dys[half])
  assert (_numpy(augment.draws(1, 3, index, 4)[1]) != dys).any()
  assert (_numpy(augment.draws(2, 2, index, 4)[1]) != dys).any()


def test_eval_only_normalises(images):
  expected = (images.astype(np.float64) - MEAN) / STD
  for given in (images, augment.pack(images)):
    np.testing.assert_allclose(_numpy(augment.eval_images(given, MEAN, STD)), expected, atol=1e-5)


_ELSEWHERE = """
import json, sys
import keras, numpy as np
from tfdynnas import hashing
from tfdynnas.data.images import augment
index = np.arange(-3, 40, dtype=np.int32)
images = np.arange(43 * 6 * 5 * 3).reshape(43, 6, 5, 3).astype(np.uint8)
to_list = lambda tensor: keras.ops.convert_to_numpy(tensor).tolist()
print(json.dumps({
    "backend": keras.backend.backend(),
    "bits": to_list(hashing.uniform_uint32(11, 5, index)),
    "draws": [to_list(drawn) for drawn in augment.draws(11, 5, index, 4)],
    "pixels": to_list(augment.train_images(
        images, index + 3, 5, 11, augment.Augmentation(4, True), 1.0, 2.0)),
}))
"""


# The other tests of this file hold the back end that they run on to the same numbers.
@pytest.mark.parametrize("backend", sorted({"tensorflow", "jax"} - {keras.backend.backend()}))
def test_every_back_end_gives_the_same(backend):
  pytest.importorskip(backend)
  result = subprocess.run(
    [sys.executable, "-c", _ELSEWHERE], env={**os.environ, "KERAS_BACKEND": backend},
    capture_output=True, text=True)
  assert result.returncode == 0, result.stderr
  found = json.loads(result.stdout.splitlines()[-1])
  assert found["backend"] == backend
  index = np.arange(-3, 40)
  assert found["bits"] == [_murmur(11, [5, int(place)]) for place in index]
  uses = [[_murmur(11, [0x61756731, 5, int(place), use]) for place in index] for use in range(3)]
  assert found["draws"][0] == [bits * 2 >> 32 == 1 for bits in uses[0]]
  assert found["draws"][1] == [bits * 9 >> 32 for bits in uses[1]]
  assert found["draws"][2] == [bits * 9 >> 32 for bits in uses[2]]
  images = np.arange(43 * 6 * 5 * 3).reshape(43, 6, 5, 3).astype(np.uint8)
  uses = [[_murmur(11, [0x61756731, 5, place, use]) for place in range(43)] for use in range(3)]
  bounds = (2, 9, 9)
  flips, dys, dxs = ([bits * bound >> 32 for bits in use] for use, bound in zip(uses, bounds))
  expected = _augmented_by_loops(images, range(43), flips, dys, dxs, 4)
  expected = (expected * STD + MEAN - 1) / 2
  np.testing.assert_allclose(found["pixels"], expected, atol=1e-4)
