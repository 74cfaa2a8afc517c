"""Lines over the steps of a training, from its probes.

A probe is a dict that training.probes.Probe made, with a `step`. A line is (steps, values).
"""

import math

import numpy as np

from tfdynnas.analysis import rank_metrics

_COSINES = {
    "within": "gradients of one group", "across": "gradients of different groups",
}
_MOMENTA = {
    "own": "the momentum that the step meets", "other": "that of the other groups",
    "mean": "the mean of all groups",
}


def class_lines(probes, key, scale=1):
  """A mean of each complexity class over the steps.

  Args:
    probes: List of probes.
    key: accuracy, loss or learning_rate.
    scale: Factor of the values.

  Returns:
    dict, name of the class -> line; the least complex first.
  """
  found = {}
  for probe in probes:
    for row in probe["classes"]:
      value = None if row[key] is None else scale * row[key]
      found.setdefault(row["class"], []).append((probe["step"], value))
  last = max(found, default=0)
  return {_class_name(own, last): tuple(zip(*found[own])) for own in sorted(found)}


def _class_name(own, last):
  extreme = {0: " (least complex)", last: " (most complex)"}.get(own, "")
  return f"quarter {own + 1}{extreme}"


def cosine_lines(probes):
  """Mean cosines of gradients within and across groups: dict, name -> line."""
  return _lines(probes, "cosines", _COSINES)


def momentum_lines(probes):
  """Mean cosines of gradients with momenta: dict, name -> line."""
  found = _lines(probes, "momentum", _MOMENTA)
  if all(value is None for value in found[_MOMENTA["other"]][1]):  # One momentum, shared by all.
    return {_MOMENTA["own"]: found[_MOMENTA["own"]]}
  return found


def _lines(probes, part, names):
  steps = [probe["step"] for probe in probes]
  return {name: (steps, [probe[part][key] for probe in probes]) for key, name in names.items()}


def tau_lines(probes, truth_of):
  """How well the supernet ranks the probed archs, over the steps.

  Args:
    probes: List of probes.
    truth_of: dict, index of an arch -> its stand-alone accuracy; NaN or absent where unknown.

  Returns:
    (line, level): Kendall's tau-b of the accuracies with inherited weights; that of complexity
    alone for the last probe's archs, NaN where undefined.
  """
  taus, level = [], math.nan
  for probe in probes:
    rows = [row for row in probe["archs"] if math.isfinite(truth_of.get(row["index"], math.nan))]
    truth = [truth_of[row["index"]] for row in rows]
    scores = [math.nan if row["accuracy"] is None else row["accuracy"] for row in rows]
    enough = len(rows) > 1
    taus.append(rank_metrics.kendall(scores, truth) if enough else math.nan)
    if enough:
      level = rank_metrics.kendall([row["complexity"] for row in rows], truth)
  return ([probe["step"] for probe in probes], taus), level


def gap(probes, key):
  """Most complex class minus least complex one at the last probe, a float; NaN where unknown."""
  rows = probes[-1]["classes"]
  values = [math.nan if row[key] is None else row[key] for row in (rows[0], rows[-1])]
  return float(np.subtract(values[1], values[0]))
