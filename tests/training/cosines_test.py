"""Cosines of gradients, computed by hand."""

import math

import numpy as np
import pytest

from tfdynnas.training.probes import cosines

ROOT_HALF = math.sqrt(0.5)


def _vector(*values):
  """A vector of four numbers as the gradients of two weights, [2] and [2, 1]."""
  values = np.array(values, np.float32)
  return [values[:2], values[2:, None]]


EAST, NORTH = _vector(1, 0, 0, 0), _vector(0, 0, 2, 0)
BOTH, WEST, ZERO = _vector(3, 0, 3, 0), _vector(-5, 0, 0, 0), _vector(0, 0, 0, 0)


def test_cosines_are_over_all_weights_together():
  found = cosines.cosines([EAST, BOTH], [EAST, NORTH, WEST, ZERO])
  expected = [[1, 0, -1, math.nan], [ROOT_HALF, ROOT_HALF, -ROOT_HALF, math.nan]]
  np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_pairs_within_a_group_and_across():
  found = cosines.of_pairs([EAST, BOTH, NORTH, WEST], [0, 0, 1, 1])
  # Within: east-both .707, north-west 0. Across: east-north 0, east-west -1, both-north .707,
  # both-west -.707.
  assert found["within"] == pytest.approx(ROOT_HALF / 2)
  assert found["across"] == pytest.approx(-1 / 4)


def test_no_pair_is_no_number():
  found = cosines.of_pairs([EAST, NORTH], [0, 1])
  assert math.isnan(found["within"]) and found["across"] == 0
  assert math.isnan(cosines.of_pairs([EAST], [0])["across"])


def test_momentum_of_the_own_group_and_of_others():
  found = cosines.with_momentum([EAST, BOTH], [0, 1], [EAST, NORTH])
  # Mean of the rows: (.5, 0, 1, 0), of length sqrt(1.25).
  with_mean = (0.5 / math.sqrt(1.25) + 4.5 / math.sqrt(18 * 1.25)) / 2
  assert found["own"] == pytest.approx((1 + ROOT_HALF) / 2)
  assert found["other"] == pytest.approx((0 + ROOT_HALF) / 2)
  assert found["mean"] == pytest.approx(with_mean)


def test_a_shared_momentum_is_everyones_own():
  found = cosines.with_momentum([EAST, NORTH], [0, 1], [BOTH])
  assert found["own"] == pytest.approx(ROOT_HALF) and found["mean"] == pytest.approx(ROOT_HALF)
  assert math.isnan(found["other"])


def test_a_group_that_was_never_trained_does_not_count():
  found = cosines.with_momentum([EAST, NORTH], [0, 1], [EAST, ZERO])
  assert found["own"] == 1 and found["other"] == 0
