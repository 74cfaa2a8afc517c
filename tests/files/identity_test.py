"""What a file is of: settings that differ are named, with both values."""

import re

import pytest

from tfdynnas import errors
from tfdynnas.files import identity


@pytest.mark.parametrize("there, here", [
    ({}, {}), (None, {}), ({"a": None, "b": {}}, {}), ({"a": [1, 2]}, {"a": (1, 2)}),
    ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1.0}}}),
])
def test_the_same_is_not_refused(there, here):
  identity.refuse_other("x", there, here)
  identity.refuse_other("x", here, there)


@pytest.mark.parametrize("there, here, words", [
    ({"seed": 0}, {"seed": 1}, "seed=0 there, 1 here"),
    ({}, {"limits": {"params": 5}}, "limits.params=None there, 5 here"),
    ({"a": {"b": "x"}}, {"a": [1]}, "a.b='x' there, None here; a=None there, [1] here"),
    ({"a": 1, "b": True, "c": 3}, {"a": 2, "b": False, "c": 3},
     "a=1 there, 2 here; b=True there, False here"),
    ({str(n): n for n in range(7)}, {},
     "; ".join([*(f"{n}={n} there, None here" for n in range(5)), "2 more"])),
])
def test_what_differs_is_named(there, here, words):
  with pytest.raises(errors.InputError, match=f"^rule. Received: {re.escape(words)}$"):
    identity.refuse_other("rule", there, here)
