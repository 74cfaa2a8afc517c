"""A space of fewer choices: the same archs by the same numbers, some of them left out."""

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.spaces import costs
from tfdynnas.spaces import saving

SPACE = spaces.nasbench201()  # none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3
ALL = (0, 1, 2, 3, 4)


@pytest.mark.parametrize("text, expected", [
    ("", (ALL,) * 6),
    ("1<-0=nor_conv_3x3", ((3,), *(ALL,) * 5)),
    ("0=nor_conv_3x3", ((3,), *(ALL,) * 5)),
    ("5=skip_connect+none", (*(ALL,) * 5, (0, 1))),
    ("*!=avg_pool_3x3", ((0, 1, 2, 3),) * 6),
    ("2!=none+avg_pool_3x3", (ALL, ALL, (1, 2, 3), ALL, ALL, ALL)),
    ("*!=avg_pool_3x3, 0=nor_conv_3x3+avg_pool_3x3", ((3,), *((0, 1, 2, 3),) * 5)),
])
def test_rules_say_what_is_left(text, expected):
  assert spaces.parse_allowed(SPACE, text) == expected


def test_everywhere_is_wherever_there_is_the_choice():
  space = spaces.mobilenet()  # Six layers have no `identity`, which is choice 6.
  left = spaces.parse_allowed(space, "*!=identity")
  assert left == (tuple(range(6)),) * 21
  assert spaces.parse_allowed(space, "*=identity") == tuple(
      (6,) if len(decision.choices) == 7 else tuple(range(6)) for decision in space.decisions)


@pytest.mark.parametrize("text, expected", [
    ("nor_conv_3x3", "must look like DECISION=CHOICE"),
    ("6=none", "names a decision of `nasbench201`: 1<-0, .*, 0 to 5, or \\*. Received: '6=none'"),
    ("9" * 5000 + "=none", "names a decision"),
    ("0=conv", "names choices: none, skip_connect, .*. Received: '0=conv'"),
    ("*!=conv", "names choices"), ("0=", "names choices"), ("0=none+", "names choices"),
    ("0=none,0=skip_connect", "must leave decision `1<-0` a choice"),
    ("0!=none+skip_connect+nor_conv_1x1+nor_conv_3x3+avg_pool_3x3", "leave decision `1<-0` a"),
])
def test_rules_that_say_nothing_are_refused(text, expected):
  with pytest.raises(errors.InputError, match=expected):
    spaces.parse_allowed(SPACE, text)


@pytest.mark.parametrize("count", [1, 5, 7])
def test_each_decision_has_its_choices(count):
  space = spaces.nasbench201()
  with pytest.raises(errors.InputError, match=f"one entry per decision. Received: {count} for 6"):
    space.restrict([(0,)] * count)


def test_archs_keep_their_numbers_and_the_others_are_no_archs():
  left = SPACE.restrict([(3,), ALL, ALL, ALL, ALL, (1, 4)])
  assert (left.size, left.count) == (15625, 2 * 5**4) == (SPACE.size, len(list(left.archs())))
  arch = (3, 0, 1, 2, 3, 4)
  assert left.index(arch) == SPACE.index(arch) and left.format(arch) == SPACE.format(arch)
  assert left.parse(f"#{SPACE.index(arch)}") == left.parse(SPACE.format(arch)) == arch
  for text in ("#0", "0,0,0,0,0,0", SPACE.format((0,) * 6)):
    with pytest.raises(errors.InputError, match="of this space is left nor_conv_3x3. .*none"):
      left.parse(text)
  with pytest.raises(errors.InputError, match="looks like .nor_conv_3x3~0"):
    left.parse("no arch")


def test_draws_children_and_bounds_are_of_what_is_left():
  left, rng = SPACE.restrict([(3,), *[(0, 1, 4)] * 5]), np.random.default_rng(0)
  drawn = {left.sample(rng) for _ in range(3000)}
  assert drawn == set(left.archs())  # 243: each is missed with a probability below 1e-5.
  assert all(left.allows(left.mutate(arch, rng, 0.5)) for arch in drawn)
  # Of the kernels only the one 3x3 is left: nothing can be cheaper, nothing dearer.
  assert left.bounds("complexity") == (SPACE.cost((3, 0, 0, 0, 0, 0), "complexity"),) * 2
  assert left.smallest() == left.largest() == (3, 0, 0, 0, 0, 0)


def test_all_that_is_left_draws_what_the_space_draws():
  one, other = np.random.default_rng(7), np.random.default_rng(7)
  same = SPACE.restrict((ALL,) * 6)
  assert same == SPACE
  assert [same.sample(one) for _ in range(5)] == [
      tuple(int(other.integers(5)) for _ in range(6)) for _ in range(5)]


def test_narrowing_twice_leaves_what_both_leave_and_nothing_is_refused():
  once = SPACE.restrict([(0, 3), *(ALL,) * 5])
  assert once.restrict([(3, 4), *(ALL,) * 5]).allowed[0] == (3,)
  assert once.restrict(None) == once and once.whole() == SPACE
  with pytest.raises(errors.InputError, match="at least one"):
    once.restrict([(4,), *(ALL,) * 5])


def test_what_is_left_is_saved_and_tells_searches_apart():
  left = costs.with_bytes(SPACE).restrict([(3,), *(ALL,) * 5])
  assert saving.from_config(saving.to_config(left)).allowed == left.allowed
  assert "allowed" not in saving.to_config(SPACE)
  described = costs.describe(left)
  assert described.pop("left") == {"1<-0": "nor_conv_3x3"}
  assert described == costs.describe(costs.with_bytes(SPACE))  # Costs are of the whole.


def test_parts_cut_what_is_left():
  left = SPACE.restrict([(1, 3, 4), (2, 3), *(ALL,) * 4])
  parts = spaces.make_parts(left, 0)
  assert parts.groups == ((1,), (3,), (4,)) and parts.allowed(1) == ((3,), (2, 3), *(ALL,) * 4)
  with pytest.raises(errors.InputError, match=r"that is left, \[1, 3, 4\], once"):
    spaces.make_parts(left, 0, "0,1;3;4")
