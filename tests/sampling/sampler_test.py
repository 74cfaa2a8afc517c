"""Samplers are pure functions of (seed, step), uniform, and the same on every back end."""

import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import methods
from tfdynnas import sampling
from tfdynnas import spaces

SAMPLER = sampling.Uniform([5] * 6, seed=0)


def paths(sampler, steps):
  return np.array([ops.convert_to_numpy(sampler(step))[0] for step in steps])


def drawn_at(sampler, steps):
  """Paths of steps 0, 1, ...: [steps, paths, decisions]."""
  steps = ops.convert_to_tensor(np.arange(steps, dtype=np.int32))
  return ops.convert_to_numpy(ops.vectorized_map(sampler, steps))


def test_same_again_and_other_seeds_differ():
  steps = range(40)
  first = paths(SAMPLER, steps)
  np.testing.assert_array_equal(first, paths(sampling.Uniform([5] * 6, seed=0), steps))
  assert (first != paths(sampling.Uniform([5] * 6, seed=1), steps)).mean() > 0.6


def test_every_choice_of_every_decision_is_equally_likely():
  drawn = drawn_at(SAMPLER, 20000)[:, 0].T
  counts = np.array([np.bincount(row, minlength=5) for row in drawn])
  assert np.abs(counts - 4000).max() < 5 * np.sqrt(4000 * 0.8)
  correlation = np.corrcoef(drawn)
  assert np.abs(correlation[~np.eye(6, dtype=bool)]).max() < 0.04


def test_ragged_decisions():
  drawn = paths(sampling.Uniform([2, 7, 3]), range(300))
  assert [set(column) for column in drawn.T] == [set(range(2)), set(range(7)), set(range(3))]


def test_split_decision_is_drawn_from_the_seed():
  drawn = [sampling.split_decision(6, seed) for seed in range(60)]
  assert set(drawn) == set(range(6)) and drawn[0] == sampling.split_decision(6, 0)


def test_restricted_decisions_draw_what_is_allowed_and_leave_the_others_as_they_are():
  allowed = [[4, 1], [2], *[list(range(5))] * 4]
  drawn = drawn_at(sampling.Uniform([5] * 6, seed=0, allowed=allowed), 400)[:, 0]
  counts = np.bincount(drawn[:, 0], minlength=5)
  assert counts[1] + counts[4] == 400 and abs(counts[1] - 200) < 50
  assert set(drawn[:, 1]) == {2}
  np.testing.assert_array_equal(drawn[:, 2:], drawn_at(SAMPLER, 400)[:, 0, 2:])


@pytest.mark.parametrize("allowed", [[[0]], [[], [0]], [[0], [3]]])
def test_wrong_restrictions_are_refused(allowed):
  with pytest.raises(errors.InputError, match="`allowed` must .* Received"):
    sampling.Uniform([3, 3], allowed=allowed)


def test_a_restricted_decision_does_not_split_the_momentum():
  space = spaces.nasbench201(channels=2, cells=1, image_size=8)
  allowed = [[3], *[range(5)] * 5]
  drawn = {methods.SinglePath(space, s, allowed=allowed).split_decision for s in range(40)}
  assert drawn == set(range(1, 6))
  with pytest.raises(errors.InputError, match="`split_decision` .* Received: 0, 1<-0"):
    methods.SinglePath(space, split_decision=0, allowed=allowed)
  with pytest.raises(errors.InputError, match="leave a decision whole"):
    methods.SinglePath(space, allowed=[[3]] * 6)


def test_fair_has_each_choice_once_a_step_in_independent_orders():
  sampler = sampling.Fair([5] * 6, seed=2)
  drawn = drawn_at(sampler, 300)
  np.testing.assert_array_equal(np.sort(drawn, axis=1), np.tile(np.arange(5)[:, None], (300, 1, 6)))
  # Any of 120 orders, and of 25 pairs of choices at two decisions, as often as another.
  codes = drawn @ 5 ** np.arange(6)
  assert len({tuple(step) for step in codes.tolist()}) == 300
  for other in range(1, 6):
    pairs = np.bincount((drawn[:, :, 0] * 5 + drawn[:, :, other]).reshape(-1), minlength=25)
    assert np.abs(pairs - 60).max() < 40
  first = np.bincount(drawn[:, 0, 3], minlength=5)
  assert np.abs(first - 60).max() < 35


def test_fair_fills_up_at_random():
  sampler = sampling.Fair([5, 2, 3, 1], seed=2)
  drawn = drawn_at(sampler, 400)
  counts = np.array([[np.bincount(row[:, d], minlength=3) for d in (1, 2, 3)] for row in drawn])
  assert set(map(tuple, counts[:, 0])) == {(2, 3, 0), (3, 2, 0)}
  assert set(map(tuple, counts[:, 1])) == {(1, 2, 2), (2, 1, 2), (2, 2, 1)}
  assert set(map(tuple, counts[:, 2])) == {(5, 0, 0)}
  means = counts.mean(axis=0)
  assert abs(means[0, 0] - 2.5) < 0.12 and np.abs(means[1] - 5 / 3).max() < 0.12
  # Which paths share a choice of a short decision changes from step to step.
  assert len({tuple(row[:, 1]) for row in drawn}) == 20


def test_fair_with_a_shared_or_restricted_decision():
  sampler = sampling.Fair([5] * 3, seed=2, allowed=[range(5), [1, 4], range(5)], shared=2)
  drawn = drawn_at(sampler, 200)
  assert drawn.shape == (200, 5, 3)
  assert (drawn[:, :, 2] == drawn[:, :1, 2]).all()
  assert np.abs(np.bincount(drawn[:, 0, 2], minlength=5) - 40).max() < 30
  assert set(drawn[:, :, 1].reshape(-1)) == {1, 4}
  again = sampling.Fair.from_config(sampler.get_config())
  np.testing.assert_array_equal(ops.convert_to_numpy(again(9)), drawn[9])
