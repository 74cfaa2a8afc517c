"""Samplers are pure functions of (seed, step), uniform, and the same on every back end."""

import numpy as np
from keras import ops

from tfdynnas import training

SAMPLER = training.Uniform([5] * 6, seed=0)


def paths(sampler, steps):
  return np.array([ops.convert_to_numpy(sampler(step))[0] for step in steps])


def test_same_again_and_other_seeds_differ():
  steps = range(40)
  first = paths(SAMPLER, steps)
  np.testing.assert_array_equal(first, paths(training.Uniform([5] * 6, seed=0), steps))
  assert (first != paths(training.Uniform([5] * 6, seed=1), steps)).mean() > 0.6


def test_every_choice_of_every_decision_is_equally_likely():
  drawn = ops.convert_to_numpy(SAMPLER(np.arange(20000)))[0]  # [decisions, steps]
  counts = np.array([np.bincount(row, minlength=5) for row in drawn])
  assert np.abs(counts - 4000).max() < 5 * np.sqrt(4000 * 0.8)
  correlation = np.corrcoef(drawn)
  assert np.abs(correlation[~np.eye(6, dtype=bool)]).max() < 0.04


def test_ragged_decisions():
  drawn = paths(training.Uniform([2, 7, 3]), range(300))
  assert [set(column) for column in drawn.T] == [set(range(2)), set(range(7)), set(range(3))]


def test_split_decision_is_drawn_from_the_seed():
  drawn = [training.split_decision(6, seed) for seed in range(60)]
  assert set(drawn) == set(range(6)) and drawn[0] == training.split_decision(6, 0)
