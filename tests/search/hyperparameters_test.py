"""A space as keras-tuner's hyperparameters and back."""

import json

import keras_tuner
import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.search import hyperparameters

ODD = spaces.Space(
    "odd",
    (spaces.Decision("a/b", ("x", "y z")), spaces.Decision("a b", ('"', "é", "x"))),
    {"complexity": spaces.Cost(0, ((1, 2), (0, 1, 2)))},
)


@pytest.mark.parametrize(
    "space", [spaces.nasbench201(), spaces.mobilenet(), ODD], ids=lambda space: space.name
)
def test_round_trip_through_values_and_json(space):
  empty = json.loads(json.dumps(hyperparameters.to_hyperparameters(space).get_config()))
  for seed in range(10):
    arch = space.sample(np.random.default_rng(seed))
    copy = keras_tuner.HyperParameters.from_config(empty)
    copy.values = hyperparameters.to_values(space, arch)
    copy = keras_tuner.HyperParameters.from_config(json.loads(json.dumps(copy.get_config())))
    assert hyperparameters.to_arch(space, copy) == arch
    assert hyperparameters.to_arch(space, copy.values) == arch
    assert all(isinstance(choice, int) for choice in hyperparameters.to_arch(space, copy))


def test_names_are_unique_and_safe():
  assert hyperparameters.names(ODD) == ("decision_0_a_b", "decision_1_a_b")
  assert hyperparameters.names(spaces.nasbench201())[2] == "decision_2_2_1"
  assert hyperparameters.names(spaces.mobilenet())[4] == "decision_04_2_1"
  many = spaces.Space("many", (spaces.Decision("<-", ("a",)),) * 11, {})
  assert sorted(hyperparameters.names(many)) == list(hyperparameters.names(many))


def test_defaults_are_the_first_arch():
  space = spaces.nasbench201()
  assert hyperparameters.to_arch(space, hyperparameters.to_hyperparameters(space)) == (0,) * 6


@pytest.mark.parametrize("values, message", [
  ({}, "decision_0_a_b"),
  ({"decision_0_a_b": "x"}, "decision_1_a_b"),
  ({"decision_0_a_b": "q", "decision_1_a_b": "x"}, "'q'"),
])
def test_wrong_values_are_refused(values, message):
  with pytest.raises(errors.InputError, match=message):
    hyperparameters.to_arch(ODD, values)


@pytest.mark.parametrize("choices", [(), ("a", "a")])
def test_choices_without_names_of_their_own_are_refused(choices):
  space = spaces.Space("bad", (spaces.Decision("only", choices),), {})
  with pytest.raises(errors.InputError, match="only"):
    hyperparameters.to_hyperparameters(space)
