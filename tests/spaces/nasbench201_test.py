"""NAS-Bench-201 against the published numbers."""

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import spaces

SPACE = spaces.nasbench201()
BEST = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|"
    "+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
# n1, n3 -> (how many of the 15 625, complexity)
LEVELS = {
    (0, 0): (729, 72752), (1, 0): (1458, 99632), (2, 0): (1215, 126512), (3, 0): (540, 153392),
    (4, 0): (135, 180272), (5, 0): (18, 207152), (6, 0): (1, 234032), (0, 1): (1458, 314672),
    (1, 1): (2430, 341552), (2, 1): (1620, 368432), (3, 1): (540, 395312), (4, 1): (90, 422192),
    (5, 1): (6, 449072), (0, 2): (1215, 556592), (1, 2): (1620, 583472), (2, 2): (810, 610352),
    (3, 2): (180, 637232), (4, 2): (15, 664112), (0, 3): (540, 798512), (1, 3): (540, 825392),
    (2, 3): (180, 852272), (3, 3): (20, 879152), (0, 4): (135, 1040432), (1, 4): (90, 1067312),
    (2, 4): (15, 1094192), (0, 5): (18, 1282352), (1, 5): (6, 1309232), (0, 6): (1, 1524272),
}


def test_images_have_three_channels():
  assert SPACE.skeleton.image_shape == (32, 32, 3)
  assert spaces.nasbench201(image_size=(8, 12)).skeleton.image_shape == (8, 12, 3)


def test_levels_of_complexity():
  assert SPACE.size == 15625
  assert SPACE.bounds("complexity") == (72752, 1524272)
  seen = {}
  for index in range(SPACE.size):
    arch = SPACE.arch(index)
    assert SPACE.index(arch) == index
    level = (arch.count(2), arch.count(3))
    count, complexity = seen.get(level, (0, SPACE.cost(arch, "complexity")))
    seen[level] = (count + 1, complexity)
  assert seen == LEVELS


def test_params_and_macs():
  for arch, params, macs in (((0,) * 6, 73306, 7783040), ((3,) * 6, 1531546, 220119680)):
    assert (SPACE.cost(arch, "params"), SPACE.cost(arch, "macs")) == (params, macs)
  for index in range(0, SPACE.size, 97):
    arch = SPACE.arch(index)
    n1, n3 = arch.count(2), arch.count(3)
    assert SPACE.cost(arch, "params") == SPACE.cost(arch, "complexity") + 554 + 1120 * (n1 + n3)
    assert SPACE.cost(arch, "macs") == 7783040 + 3932160 * n1 + 35389440 * n3
  # The benchmark's own record of 11663: 153.27 M MACs, 1.073 M params.
  assert abs(SPACE.cost(SPACE.arch(11663), "macs") / 1e6 - 153.27) < 0.01
  assert abs(SPACE.cost(SPACE.arch(11663), "params") / 1e6 - 1.073) < 0.001


def test_string_form_and_index():
  assert SPACE.index(SPACE.parse(BEST)) == 11668
  assert SPACE.format(SPACE.arch(11668)) == BEST
  assert SPACE.parse("#11668") == SPACE.parse("3,3,3,1,3,3") == SPACE.arch(11668)
  rng = np.random.default_rng(0)
  for _ in range(50):
    arch = SPACE.sample(rng)
    assert SPACE.parse(SPACE.format(arch)) == arch


@pytest.mark.parametrize("text", [
    "", "|", "0,1,2", "0,1,2,3,4,5", "0,0,0,0,0,-1", "#15625", "#-1", BEST[:-1], BEST + "|",
    BEST.replace("nor_conv_3x3~0|+", "conv~0|+", 1), BEST.replace("~2", "~1"),
    BEST.replace("+", ""),
])
def test_malformed_strings_are_refused_in_one_line(text):
  with pytest.raises(errors.InputError) as error:
    SPACE.parse(text)
  assert "Received" in str(error.value) and "\n" not in str(error.value)


def test_live_edges():
  assert SPACE.live((0,) * 6) == (False,) * 6
  assert SPACE.live((3,) * 6) == (True,) * 6
  # Node 1 gets nothing, so 2<-1 and 3<-1 carry zeros; 2<-0 feeds node 2, and 3<-2 the output.
  assert SPACE.live((0, 1, 3, 0, 2, 4)) == (False, True, False, False, False, True)
  # Nothing leaves node 2, so what enters it is of no use.
  assert SPACE.live((3, 3, 3, 1, 1, 0)) == (True, False, False, True, True, False)


def test_live_archs_of_the_literature():
  alive = sum(any(SPACE.live(SPACE.arch(index))) for index in range(SPACE.size))
  assert alive == 15284


def test_no_signal_passes_through_341_archs():
  """By hand, an edge being `none` in 1 of 5 ways: 3<-0 is none in all of them. With 3<-2 none, not
  both 1<-0 and 3<-1 are there: 25 - 4 * 4 = 9 ways, and 25 of 2<-0 and 2<-1. With 3<-2 there (4),
  2<-0 is none: without 1<-0 25 ways, with it (4) neither 2<-1 nor 3<-1. 225 + 4 * (25 + 4) = 341.
  """
  dead = [index for index in range(SPACE.size) if not SPACE.connected(SPACE.arch(index))]
  assert len(dead) == 9 * 25 + 4 * (25 + 4) == 341
  assert 14000 in dead and 0 in dead
  assert SPACE.connected((0, 0, 0, 1, 0, 0)) and SPACE.connected((4, 0, 2, 0, 0, 1))
