"""The MobileNet space against the published counter."""

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import spaces

SPACE = spaces.mobilenet()
# Channels of the first stage -> (complexity, macs) of the smallest, then of one block everywhere.
PUBLISHED = {
    24: [
        (2145384, 102528896), (3164184, 257422208), (4636104, 472620800), (3247896, 284216192),
        (4803528, 526208768), (3373464, 324407168), (5054664, 606590720),
    ],
    32: [
        (2148288, 108869888), (3175800, 291084032), (4659336, 539944448), (3261048, 321791744),
        (4829832, 601359872), (3388920, 367853312), (5085576, 693483008),
    ],
}


@pytest.mark.parametrize("channels", PUBLISHED)
def test_published_costs(channels):
  space = spaces.get("mobilenet", channels=channels)
  archs = [space.smallest(), *((choice,) * 21 for choice in range(6))]
  costs = [(space.cost(arch, "complexity"), space.cost(arch, "macs")) for arch in archs]
  assert costs == PUBLISHED[channels]
  for number, kind in enumerate(("complexity", "macs")):
    assert space.bounds(kind) == (costs[0][number], costs[6][number])
  assert space.largest() == (5,) * 21


def test_six_layers_are_never_left_out():
  counts = [len(decision.choices) for decision in SPACE.decisions]
  assert counts == [6, 7, 7, 7] * 5 + [6]
  assert SPACE.size == 6**6 * 7**15 == 221502229807900608
  assert SPACE.smallest() == (0, 6, 6, 6) * 5 + (0,)
  with pytest.raises(errors.InputError, match="`2.1` takes a choice in"):
    SPACE.validate((0,) * 4 + (6,) + (0,) * 16)


def test_params_have_affine_normalisation():
  # Stem 32, depthwise 32, 16, last 1280; by layer twice the hidden channels and the outputs.
  places = [(24, 16, 1), (24, 24, 3), (40, 24, 1), (40, 40, 3), (80, 40, 1), (80, 80, 3),
            (96, 80, 1), (96, 96, 3), (192, 96, 1), (192, 192, 3), (320, 192, 1)]
  normalised = 32 + 32 + 16 + 1280 + sum(n * (6 * i + o) for o, i, n in places for _ in (0, 1))
  normalised -= sum(n * o for o, _, n in places)
  assert SPACE.cost((1,) * 21, "params") == 4636104 + 2 * normalised


def test_uniform_archs_cost_what_is_published():
  fixed, table = SPACE.table("macs")
  counts = np.array([len(decision.choices) for decision in SPACE.decisions])
  mean = fixed + (table.sum(axis=1) / counts).sum()
  assert abs(mean / 1e6 - 372.9) < 0.5  # That one was measured on a sample: exactly it is 373.3.
  rng = np.random.default_rng(0)
  macs = np.array([SPACE.cost(SPACE.sample(rng), "macs") for _ in range(4000)])
  assert abs(np.mean((macs >= 300e6) & (macs <= 330e6)) - 0.104) < 0.02
  assert np.abs(np.quantile(macs, [0.05, 0.95]) / 1e6 - [310, 435]).max() < 4


def test_string_forms_and_index():
  text = "|".join(["mb6_7x7", "identity", "mb3_5x5", "mb3_3x3"] * 5 + ["mb6_3x3"])
  arch = (5, 6, 2, 0) * 5 + (1,)
  assert SPACE.parse(text) == arch and SPACE.format(arch) == text
  assert SPACE.arch(SPACE.size - 1) == (5, 6, 6, 6) * 5 + (5,)
  assert SPACE.parse("#1") == (0,) * 20 + (1,) and SPACE.parse("#6") == (0,) * 19 + (1, 0)
  assert SPACE.parse(",".join(map(str, arch))) == SPACE.arch(SPACE.index(arch)) == arch


@pytest.mark.parametrize("text", [
    "", "mb3_3x3", "#221502229807900608", "|".join(["identity"] * 21), ",".join("6" * 21),
])
def test_malformed_strings_are_refused(text):
  with pytest.raises(errors.InputError, match="Received"):
    SPACE.parse(text)


def test_a_name_too_many_is_refused():
  text = "|".join([SPACE.format(SPACE.smallest()), "mb3_3x3"])
  with pytest.raises(errors.InputError, match="An arch of `mobilenet` looks like"):
    SPACE.parse(text)


@pytest.mark.parametrize("window", [-1, 0, 2, 4])
def test_a_window_has_a_middle(window):
  with pytest.raises(errors.InputError, match=f"odd and >= 1. Received: {window}"):
    spaces.Block("even", 3, window)


def test_two_classes_are_enough():
  skeleton = spaces.LayerSkeleton((spaces.Stage(4, 1),), classes=2)
  assert skeleton.classes == 2
  with pytest.raises(errors.InputError, match="`classes` must be >= 2. Received: 1"):
    spaces.LayerSkeleton((spaces.Stage(4, 1),), classes=1)


def test_small_images_keep_their_size_longer():
  space = spaces.mobilenet(image_size=32, classes=10, small=True)
  assert [layer.size for layer in space.skeleton.layers[::4]] == [
      (side, side) for side in (32, 32, 16, 8, 8, 4)]
  assert [len(decision.choices) for decision in space.decisions] == [6, 7, 7, 7] * 5 + [6]
  # Other strides, and fewer classes: the same kernels.
  assert space.cost((5,) * 21, "complexity") == 5054664 - 990 * 1281


def test_width_rounds_as_mobilenet_v2():
  # By hand: 24 * 0.75 = 18, of which 16 is less than 0.9; 40 * 0.75 = 30, 32; 80 * 0.75 = 60, 64.
  skeleton = spaces.mobilenet(width=0.75).skeleton
  assert [stage.channels for stage in skeleton.stages] == [24, 32, 64, 72, 144, 240]
  assert (skeleton.stem, skeleton.first, skeleton.last) == (24, 16, 1280)
  assert spaces.mobilenet(width=2.0).skeleton.last == 2560


def test_odd_sizes_are_rounded_up_each_side_for_itself():
  skeleton = spaces.mobilenet(image_size=(90, 31)).skeleton
  assert [layer.size for layer in skeleton.layers[::4]] == [
      (45, 16), (23, 8), (12, 4), (6, 2), (6, 2), (3, 1)]
