"""Curves of cost: how far they are from what they should be, and memory that is measured."""

import pytest

from tfdynnas.tools import curves


@pytest.mark.parametrize("values, shape, expected", [
    ([2, 2, 2, 2], "flat", 0), ([2, 2.2, 1.8, 3], "flat", 0.5), ([4, 3], "flat", 0.25),
    ([3, 5, 7, 9], "linear", 0),
    # Least squares over 1, 2, 3, 4: 1.5 + 1.4 x, that is 2.9, 4.3, 5.7, 7.1; 4 is furthest off.
    ([3, 4, 6, 7], "linear", 0.3 / 4.3),
])
def test_how_far_a_curve_is_off(values, shape, expected):
  assert curves.off(range(1, len(values) + 1), values, shape) == pytest.approx(expected)


def test_memory_is_what_a_process_holds():
  """Eight times the momentum of 22.4 MiB of kernels is seven more of them."""
  plain = {"layers": 6, "choices": 6, "replicas": 1}
  one, eight = (curves.held_alone({**plain, "groups": groups}) for groups in (1, 8))
  kernels = 6 * sum(2 * 128 * hidden + window**2 * hidden
                    for hidden in (3 * 128, 6 * 128) for window in (3, 5, 7))
  assert (eight - one) / (7 * 4 * kernels) == pytest.approx(1, abs=0.25)
