"""Colour jitter against values by hand and the standard library's colour circle."""

import colorsys

import keras
import numpy as np
import pytest

from tfdynnas.data.images import augment
from tfdynnas.data.images import colours

# Two pixels; grays .299 * 100 + .587 * 50 + .114 * 200 = 82.05 and 40: mean 61.025.
PAIR = np.array([[[[100, 50, 200], [40, 40, 40]]]], np.float32)
IN_ORDER = [[0, 1, 2]]


def _numpy(tensor):
  return keras.ops.convert_to_numpy(tensor)


def _jittered(values, order=IN_ORDER, turn=(0,), factors=((1, 1, 1),), angle=(0,), **kwargs):
  arrays = [np.array(order, np.int32), np.array(turn, np.int32), np.array(factors, np.float32),
            np.array(angle, np.float32)]
  return _numpy(colours.jittered(values, *arrays, **kwargs))


@pytest.mark.parametrize("factors, wanted", [
    ((0.5, 1, 1), [[50, 25, 100], [20, 20, 20]]),
    ((1.5, 1, 1), [[150, 75, 255], [60, 60, 60]]),  # 300 is cut.
    # 0.5 x + 0.5 * 61.025, the mean gray of the image.
    ((1, 0.5, 1), [[80.5125, 55.5125, 130.5125], [50.5125, 50.5125, 50.5125]]),
    ((1, 0, 1), [[61.025] * 3, [61.025] * 3]),
    # 0.5 x + 0.5 gray of the pixel.
    ((1, 1, 0.5), [[91.025, 66.025, 141.025], [40, 40, 40]]),
    # 1.5 x - 0.5 gray of the pixel: 150 - 41.025, 75 - 41.025, 300 - 41.025 cut.
    ((1, 1, 1.5), [[108.975, 33.975, 255], [40, 40, 40]]),
])
@pytest.mark.parametrize("by_hue", [False, True])
def test_blends_by_hand(factors, wanted, by_hue):
  found = _jittered(PAIR, factors=[factors], by_hue=by_hue)
  np.testing.assert_allclose(found[0, 0], wanted, atol=2e-4)


def test_order_counts():
  # Brightness 2 cuts 400 to 255, then contrast 0 takes the mean gray: of (200, 100, 255), 147.57,
  # and 80: 113.785. The other way: 61.025, then twice that.
  found = [_jittered(PAIR, [order], factors=[(2, 0, 1)])[0, 0, 0, 0]
           for order in ((0, 1, 2), (1, 0, 2))]
  np.testing.assert_allclose(found, [113.785, 122.05], atol=1e-3)


def test_hue_is_that_of_the_colour_circle():
  rng = np.random.default_rng(0)
  pixels = np.concatenate([rng.integers(0, 256, (60, 3)), [[0] * 3, [255] * 3, [9, 9, 0]]])
  for angle in (-0.5, -0.1, 0.0, 1 / 3, 0.1):
    found = _jittered(pixels[None, None].astype(np.float32), angle=[angle])[0, 0]
    for pixel, one in zip(pixels, found):
      hue, saturation, value = colorsys.rgb_to_hsv(*pixel / 255)
      wanted = 255 * np.array(colorsys.hsv_to_rgb((hue + angle) % 1, saturation, value))
      np.testing.assert_allclose(one, wanted, atol=1e-3)
  np.testing.assert_allclose(_jittered(PAIR, angle=[1 / 3])[0, 0, 0], [200, 100, 50], atol=1e-3)


@pytest.mark.parametrize("turn", range(4))
def test_hue_has_its_place_among_the_blends(turn):
  """One step after the other gives what one call does."""
  factors = [(1.3, 0.6, 1.4)]
  found, values = _jittered(PAIR, [[2, 0, 1]], [turn], factors, [0.2]), PAIR
  for place in range(4):
    if place == turn:
      values = _jittered(values, angle=[0.2])
    if place < 3:
      blend = [2, 0, 1][place]
      alone = [[f if i == blend else 1 for i, f in enumerate(factors[0])]]
      values = _jittered(values, factors=alone, by_hue=False)
  np.testing.assert_allclose(found, values, atol=1e-3)


def test_images_of_a_batch_are_changed_apart():
  rng = np.random.default_rng(1)
  values = rng.uniform(0, 255, (8, 5, 4, 3)).astype(np.float32)
  index = np.arange(8, dtype=np.int32)
  together = _numpy(colours.jittered(values, *colours.draws(3, 7, index, 0.4, 0.1)))
  for i in range(8):
    alone = colours.jittered(values[i:i + 1], *colours.draws(3, 7, index[i:i + 1], 0.4, 0.1))
    np.testing.assert_allclose(_numpy(alone)[0], together[i], atol=1e-3)
  assert (abs(together - values).max((1, 2, 3)) > 1).all()


def test_draws_cover_their_range_evenly():
  index = np.arange(6000, dtype=np.int32)
  order, turn, factors, angle = (_numpy(x) for x in colours.draws(1, 2, index, 0.4, 0.1))
  assert np.bincount(turn, minlength=4).min() > 1350
  orders, counts = np.unique(order, axis=0, return_counts=True)
  assert len(orders) == 6 and counts.min() > 850 and (np.sort(orders) == [0, 1, 2]).all()
  for values, middle, reach in ((*[(factors[:, i], 1, 0.4) for i in range(3)], (angle, 0, 0.1))):
    assert middle - reach <= values.min() < middle - 0.99 * reach
    assert middle + 0.99 * reach < values.max() <= middle + reach
    assert abs(values.mean() - middle) < 0.03 * reach


def test_no_jitter_keeps_every_bit():
  images = np.random.default_rng(0).integers(0, 256, (6, 5, 4, 3), np.uint8)
  index = np.arange(6, dtype=np.int32)

  def trained(*jitter):
    how = augment.Augmentation(1, True, *jitter)
    return _numpy(augment.train_images(images, index, 3, 9, how, (125.0,) * 3, (60.0,) * 3))

  plain = trained()
  for amount, hue, same in ((0.0, 0.0, True), (0.4, 0.0, False), (0.0, 0.1, False)):
    assert np.array_equal(trained(amount, hue), plain) == same
  # The colours are changed before they are normalised: cut at black and white.
  found = 60 * trained(1.0, 0.5) + 125
  assert found.min() > -0.01 and found.max() < 255.01


def test_sizes_that_are_not_known_beforehand():
  tf = pytest.importorskip("tensorflow")
  values = np.random.default_rng(2).uniform(0, 255, (4, 6, 5, 3)).astype(np.float32)
  drawn = [_numpy(x) for x in colours.draws(3, 7, np.arange(4, dtype=np.int32), 0.4, 0.1)]
  function = tf.function(lambda images: colours.jittered(images, *drawn), autograph=False,
                         input_signature=[tf.TensorSpec([None, None, None, 3])])
  np.testing.assert_allclose(function(values), _numpy(colours.jittered(values, *drawn)), atol=1e-4)
