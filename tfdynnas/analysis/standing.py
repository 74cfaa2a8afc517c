"""Where the network found stands among the baselines: one line, and a table."""

import math

import numpy as np

_HEAD = ("place", "network", "params", "macs", "accuracy", "architecture")


def standing_line(record):
  """The place of the network found, as one line.

  Args:
    record: dict, as from jobs.train_baselines.

  Returns:
    str.
  """
  found, accuracy = record["found"], record["found"]["accuracy"]
  randoms = [result["accuracy"] for result in record["randoms"]]
  others = [result["accuracy"] for _, result in _networks(record)[1:]]
  place, equal = _place(accuracy, others), others.count(accuracy)
  parts = [f"{place} of {1 + len(others)} on {found['part']} images{_error(found)}"
           + (f", shared with {equal}" if equal else "")]
  if randoms:
    parts.append(f"{len(randoms)} random of at most its cost: {min(randoms):.4f} to "
                 f"{max(randoms):.4f}, mean {np.mean(randoms):.4f}")
  largest = record["largest"]
  parts.append(f"the largest within the limits: {largest['accuracy']:.4f}" if largest else
               "it is the largest within the limits")
  return "; ".join(parts)


def standing_table(record):
  """The networks from the most accurate down, as text.

  Args:
    record: As for `standing_line`.

  Returns:
    List of tuples of str, the first one the column heads.
  """
  networks = _networks(record)
  accuracies = [result["accuracy"] for _, result in networks]
  ordered = sorted(networks, key=lambda network: -network[1]["accuracy"])
  return [_HEAD] + [
      (str(_place(result["accuracy"], accuracies)), name, f"{result['params']:,}",
       f"{result['macs']:,}", f"{result['accuracy']:.4f}", result["string"])
      for name, result in ordered
  ]


def _networks(record):
  """(name, result) of each, the found one first."""
  largest = [("largest", record["largest"])] if record["largest"] else []
  return [("found", record["found"]), *(("random", one) for one in record["randoms"]), *largest]


def _place(accuracy, others):
  return 1 + sum(other > accuracy for other in others)


def _error(result):
  """The standard error of its accuracy, where the images are known."""
  images = sum(result.get("by_class", {"images": []})["images"])
  if not images:
    return ""
  error = math.sqrt(result["accuracy"] * (1 - result["accuracy"]) / images)
  return f" (standard error {error:.4f})"
