"""The parts of a few-shot supernet: every choice in one, every arch in one."""

import pytest

from tfdynnas import errors
from tfdynnas import spaces

SPACE = spaces.nasbench201()


def test_each_choice_is_a_part_unless_groups_are_given():
  parts = spaces.make_parts(SPACE, 0)
  assert parts.groups == ((0,), (1,), (2,), (3,), (4,)) and parts.format() == "0;1;2;3;4"
  parts = spaces.make_parts(SPACE, 2, "4,1;3,0,2")
  assert parts.groups == ((1, 4), (0, 2, 3)) and parts.format() == "1,4;0,2,3"
  assert parts.names(0) == ["skip_connect", "avg_pool_3x3"]


def test_an_arch_is_in_the_part_of_its_choice():
  parts = spaces.make_parts(SPACE, 2, "0,1;2,3,4")
  assert parts.of((4, 4, 1, 4, 4, 4)) == 0 and parts.of((0, 0, 2, 0, 0, 0)) == 1
  whole = (0, 1, 2, 3, 4)
  assert parts.allowed(1) == (whole, whole, (2, 3, 4), whole, whole, whole)


def test_decisions_of_other_numbers_of_choices():
  space = spaces.mobilenet()
  assert len(spaces.make_parts(space, 0).groups) == 6
  parts = spaces.make_parts(space, 1, "0,1;2,3;4,5;6")
  assert parts.of((5, 6, *[0] * 19)) == 3 and parts.names(3) == ["identity"]
  assert [len(own) for own in parts.allowed(2)] == [6, 2, 7, 7] + [6, 7, 7, 7] * 4 + [6]
  with pytest.raises(errors.InputError, match=r"each choice in \[0, 6\) once"):
    spaces.make_parts(space, 20, "0,1;2,3;4,5;6")


@pytest.mark.parametrize("decision,text,expected", [
    (6, "", r"`few_shot_decision` must be in \[0, 6\). Received: 6"),
    (0, "0,1;2,3", "must hold each choice in .0, 5. once. Received: '0,1;2,3'"),
    (0, "0,1;1,2,3,4", "once"), (0, "0,1;2,3,4,5", "once"),
])
def test_groups_that_are_no_parts_are_refused(decision, text, expected):
  with pytest.raises(errors.InputError, match=expected):
    spaces.make_parts(SPACE, decision, text)
