"""The measurements of speed run: their numbers mean nothing at this size, and are not tested."""

import re

import pytest

from tests.tools import launcher
from tfdynnas.tools import curves


def test_a_step_with_more_choices_is_compared():
  said = launcher.succeed("benchmark", "--part=choices", "--channels=2", "--cells=1",
                          "--image_size=8", "--archs=1")
  assert re.search(r"step with 40 choices an edge / with 5, off-path frozen: \d\.\d{3} \[", said)


@pytest.mark.parametrize("groups", [2, 8])
def test_a_curve_has_any_number_of_groups(groups):
  """Fewer and more than the choices, which are six: each step is of the next group."""
  run = curves._step(layers=2, choices=6, groups=groups, replicas=1, channels=4, size=8)
  assert float(run()[0]) > 0
