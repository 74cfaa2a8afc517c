"""Statistics of a ranking on cases that can be done by hand."""

import json

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas.analysis import ranking

TRUTH = [20.0, 30.0, 40.0, 50.0]
COSTS = {"complexity": [1, 2, 3, 4], "macs": [4, 3, 2, 1]}


def _statistics(scores, truth=TRUTH, **kwargs):
  found = analysis.statistics(scores, truth, COSTS, (10.0, 10.0), resamples=20, **kwargs)
  return json.loads(json.dumps(found, allow_nan=False))


def test_perfect():
  found = _statistics([1, 2, 3, 4])
  assert (found["count"], found["left_out"]) == (4, 0)
  assert found["tau_b"] == found["spearman"] == {"value": 1, "low": None, "high": None}
  assert found["tau_b_of_costs"]["complexity"]["value"] == 1
  assert found["tau_b_of_costs"]["macs"]["value"] == -1
  assert found["cb"]["value"] == 0 and found["cb_rank"]["value"] == 0
  assert found["precision_at"] == {"1": 1} and found["regret_at"] == {"1": 0}


def test_without_chances_that_of_guessing_is_nothing():
  """Scores of 2 to 8 percent of truths of 20 to 50: each arch has a tenth and more of its truth."""
  scores = [2.0, 3.3, 4.8, 6.5]  # 10, 11, 12 and 13 % of it.
  given = analysis.statistics(scores, TRUTH, COSTS, (0.0, 0.0), resamples=5)
  assert analysis.statistics(scores, TRUTH, COSTS, resamples=5)["c3"] == given["c3"]
  assert given["c3"]["value"] == 1


def test_reversed_under_rates_complex_archs():
  found = _statistics([4, 3, 2, 1])
  assert found["tau_b"]["value"] == found["spearman"]["value"] == -1
  assert found["cb"]["value"] == 2  # 1 - (-1).
  # Ranks rise by 3, 1, -1, -3: the upper third -2 on average, the lower 2, of 3.
  assert found["cb_rank"]["value"] == pytest.approx(-4 / 3)
  assert found["precision_at"] == {"1": 0} and found["regret_at"] == {"1": 30}


def test_constant_scores_rank_nothing():
  found = _statistics([7, 7, 7, 7])
  nothing = {"value": None, "low": None, "high": None}
  assert found["tau_b"] == found["spearman"] == found["cb"] == nothing
  assert found["tau_b_of_costs"]["complexity"]["value"] == 1
  assert found["precision_at"] == {"1": 0.25} and found["regret_at"] == {"1": 15}


def test_unknown_scores_and_truths_are_left_out_and_counted():
  nan = float("nan")
  found = analysis.statistics([1, nan, 2, 3, 4, 5], [20, 90, 30, nan, 40, 50],
                              {"complexity": [1, 9, 2, 9, 3, 4]}, resamples=20)
  assert (found["count"], found["left_out"]) == (4, 2)
  assert found["tau_b"]["value"] == found["tau_b_of_costs"]["complexity"]["value"] == 1


def test_convergence_is_the_share_of_the_truth_above_chance():
  # 10, 20, 30, 40 above chance; the last arch does not learn.
  truth, complexity = [20, 30, 40, 50, 14.9], [1, 2, 3, 4, 9]
  falling, rising = [19, 26, 31, 34, 99], [16, 22.2, 28.6, 35.2, 0]  # .9 ... .6 and .60 ... .63
  for scores, c3 in ((falling, -1), (rising, 1)):
    found = ranking.complexity_convergence(scores, truth, complexity, (10, 10))
    assert found == pytest.approx(c3)
  assert np.isnan(ranking.complexity_convergence([34, 99], truth[3:], [1, 9], (10, 10)))
  unknown = analysis.statistics(scores, truth, {"complexity": complexity}, (10, np.nan))
  assert unknown["c3"]["value"] is None


def test_intervals_hold_the_value_and_follow_from_the_seed():
  rng = np.random.default_rng(0)
  truth = rng.normal(70, 5, 60)
  scores, costs = truth + rng.normal(0, 5, 60), {"complexity": truth + rng.normal(0, 9, 60)}
  found, again, other = (
      analysis.statistics(scores, truth, costs, resamples=100, seed=seed) for seed in (1, 1, 2))
  assert found == again and found["tau_b"] != other["tau_b"]
  for name in ("tau_b", "spearman", "cb", "cb_rank", "c3"):
    assert found[name]["low"] < found[name]["value"] < found[name]["high"], name
  assert 0.05 < found["tau_b"]["high"] - found["tau_b"]["low"] < 0.5
  assert list(found["precision_at"]) == ["1", "5", "10", "50"]


@pytest.mark.parametrize("count, end", [(4, None), (5, pytest.approx(1))])
def test_few_archs_have_no_interval(count, end):
  found = analysis.statistics(range(count), range(count), {}, resamples=20)["tau_b"]
  assert found == {"value": pytest.approx(1), "low": end, "high": end}


def test_costs_are_optional():
  found = analysis.statistics([1, 2], [1, 2], {}, resamples=5)
  assert "cb" not in found and found["tau_b"]["value"] == pytest.approx(1)


def test_what_cannot_be_ranked_is_refused():
  with pytest.raises(errors.InputError, match="of one length. Received: .*'truth': \\[4\\]"):
    _statistics([1, 2, 3])
  with pytest.raises(errors.InputError, match="score and truth. Received: 1 of 4"):
    _statistics([1, np.nan, np.inf, np.nan])
