"""How far a ranking of archs can be trusted: its statistics, with bootstrap intervals.

CB and C3 name what "Subnet-Aware Dynamic Supernet Training" measures; the paper's formulas were not
available, so both are this project's own definitions, and reports say so.
"""

import math

import numpy as np

from tfdynnas import errors
from tfdynnas.analysis import equal_cost
from tfdynnas.analysis import rank_metrics

RESAMPLES = 1000
LEVEL = 0.95
TOP = (1, 5, 10, 50)
FEWEST = 5  # Archs that an interval needs: most resamples of fewer repeat one or two.
LEARNED = 5.0  # Percent above chance from which on an arch counts as learning.


def statistics(scores, truth, costs, chances=(0.0, 0.0), seed=0, resamples=RESAMPLES):
  """Quality of a ranking by `scores`, where `truth` is known.

  Archs whose score or truth is not finite are left out, and counted. Intervals are over resampled
  archs with fixed scores: they do not cover another training of the supernet.

  Args:
    scores: Accuracies with inherited weights [n], percent.
    truth: Stand-alone accuracies of the archs [n], percent.
    costs: dict, kind -> costs [n]: `complexity`, which CB and C3 need, and others.
    chances: (of the scores, of the truth), accuracies of guessing, percent.
    seed: int in [0, 2**32), of the bootstrap.
    resamples: int >= 1, number of resamples of the archs.

  Returns:
    JSON-able dict: `count`, `left_out`; `tau_b`, `spearman`, `cb`, `cb_rank`, `c3`, and by kind of
    cost `tau_b_of_costs` (cost and truth), `tau_b_within` (at equal cost, see `equal_cost.groups`,
    whose names are `within`), `tau_b_with_costs` (score and cost) and `tau_b_of_mean_rank` (of
    score and cost), each {"value", "low", "high"}; `precision_at` and `regret_at` (percent) by k.
    None where a number is not defined; `low` and `high` also for fewer than FEWEST archs.

  Raises:
    InputError: Lists of other lengths, or fewer than 2 archs with score and truth.
  """
  columns, left_out = _known({"score": scores, "truth": truth, **costs})
  within = {kind: equal_cost.groups(columns[kind]) for kind in costs}
  groups = {kind: group for kind, (group, _) in within.items()}
  given = columns["score"], columns["truth"]
  top = [k for k in TOP if k <= len(given[0])]
  return {
      "count": len(given[0]), "left_out": left_out,
      "within": {kind: name for kind, (_, name) in within.items()},
      **_with_intervals(columns, groups, chances, seed, resamples),
      "precision_at": {str(k): rank_metrics.precision_at(*given, k) for k in top},
      "regret_at": {str(k): rank_metrics.regret_at(*given, k) for k in top},
      "interval": {"level": LEVEL, "resamples": resamples, "seed": seed},
  }


def complexity_bias(scores, truth, complexity):
  """CB as this project defines it: tau-b(complexity, truth) - tau-b(complexity, scores).

  Positive: the scores under-rate complex archs; 0: they do not. All arguments are numbers [n].
  """
  return rank_metrics.kendall(complexity, truth) - rank_metrics.kendall(complexity, scores)


def rank_bias(scores, truth, complexity):
  """CB by ranks: how much higher scores rank the most complex third than the least complex.

  Ranks are in [0, 1], 1 the best, less those by truth; negative: complex archs are under-rated.
  All arguments are numbers [n].
  """
  raised = rank_metrics.ranks(scores) - rank_metrics.ranks(truth)
  places = rank_metrics.ranks(complexity)
  low, high = np.quantile(places, [1 / 3, 2 / 3])
  bias = np.mean(raised[places >= high]) - np.mean(raised[places <= low])
  return float(bias / (len(raised) - 1)) if low < high else math.nan


def complexity_convergence(scores, truth, complexity, chances):
  """C3 as this project defines it: Spearman's rho of complexity and convergence.

  Convergence is the score's share of the truth, both above chance, for archs whose truth is at
  least LEARNED above it. Negative: complex archs are less converged; 0: training is fair.

  Args:
    scores: Percent [n].
    truth: Percent [n].
    complexity: Numbers [n].
    chances: (of the scores, of the truth), percent.

  Returns:
    float in [-1, 1]; NaN if fewer than two archs learn.
  """
  scores, truth, complexity = map(np.asarray, (scores, truth, complexity))
  learned = truth - chances[1] >= LEARNED
  if np.sum(learned) < 2:
    return math.nan
  converged = (scores[learned] - chances[0]) / (truth[learned] - chances[1])
  return rank_metrics.spearman(complexity[learned], converged)


def _known(columns):
  """The columns as float64 where score and truth are finite, and how many archs that leaves out."""
  columns = {name: np.asarray(values, np.float64) for name, values in columns.items()}
  if len({values.shape for values in columns.values()}) != 1:
    sizes = {name: list(values.shape) for name, values in columns.items()}
    raise errors.InputError(f"All lists must be of one length. Received: {sizes}")
  known = np.isfinite(columns["score"]) & np.isfinite(columns["truth"])
  if np.sum(known) < 2:
    raise errors.InputError(
        "A ranking needs >= 2 archs with score and truth. Received: "
        f"{int(np.sum(known))} of {len(known)}"
    )
  return {name: values[known] for name, values in columns.items()}, int(np.sum(~known))


def _with_intervals(columns, groups, chances, seed, resamples):
  """dict of {"value", "low", "high"}, or of dicts of those by kind of cost."""
  found = _flat(columns, groups, chances)
  rng, size = np.random.default_rng(seed), len(columns["score"])
  drawn = {name: [] for name in found}
  for _ in range(resamples):
    rows = rng.integers(size, size=size)
    drawn_anew = [{name: values[rows] for name, values in each.items()}
                  for each in (columns, groups)]
    again = _flat(*drawn_anew, chances)
    for name, value in again.items():
      drawn[name].append(value)
  nested = {}
  for key, value in found.items():
    name, _, kind = key.partition("/")
    place = nested.setdefault(name, {}) if kind else nested
    place[kind or name] = _interval(value, drawn[key] if size >= FEWEST else [])
  return nested


def _flat(columns, groups, chances):
  """dict, name -> number, of one resample of the archs."""
  score, truth = columns["score"], columns["truth"]
  found = {"tau_b": rank_metrics.kendall(score, truth),
           "spearman": rank_metrics.spearman(score, truth)}
  for kind, group in groups.items():
    cost = columns[kind]
    found.update({
        f"tau_b_of_costs/{kind}": rank_metrics.kendall(cost, truth),
        f"tau_b_within/{kind}": equal_cost.kendall_within(score, truth, group),
        f"tau_b_with_costs/{kind}": rank_metrics.kendall(score, cost),
        f"tau_b_of_mean_rank/{kind}": rank_metrics.kendall(
            equal_cost.mean_rank(score, cost), truth),
    })
  if "complexity" in columns:
    given = score, truth, columns["complexity"]
    found.update({
        "cb": complexity_bias(*given), "cb_rank": rank_bias(*given),
        "c3": complexity_convergence(*given, chances),
    })
  return found


def _interval(value, drawn):
  """A number and the quantiles of its resamples; None where undefined."""
  drawn = [other for other in drawn if not math.isnan(other)]
  if math.isnan(value) or not drawn:
    return {"value": None if math.isnan(value) else value, "low": None, "high": None}
  tail = (1 - LEVEL) / 2
  low, high = np.quantile(drawn, [tail, 1 - tail])
  return {"value": value, "low": float(low), "high": float(high)}
