"""Checks the files of a search, which keras-tuner would read without any check."""

import pathlib

from tfdynnas import errors
from tfdynnas.files import json_schema

WHOLE = "a whole search; move it away to search anew"  # A project must be this.
_TEXTS = [str, ...]
_HYPERPARAMETERS = {
    "space": [{"class_name": str, "config": {"name": str}}, ...], "values": dict,
}
_TRIAL = {
    "trial_id": str, "status": str, "hyperparameters": _HYPERPARAMETERS,
    "metrics": {"metrics": {str: {
        "direction": str, "observations": [{"value": list, "step": json_schema.COUNT}, ...],
    }}},
}
_ORACLE = {
    "ongoing_trials": {str: str}, "hyperparameters": _HYPERPARAMETERS, "start_order": _TEXTS,
    "end_order": _TEXTS, "run_times": {str: json_schema.COUNT}, "retry_queue": _TEXTS,
    "seed": json_schema.COUNT, "seed_state": json_schema.COUNT, "tried_so_far": _TEXTS,
    "id_to_hash": {str: (str, None)}, "display": dict, "fingerprint?": dict,
}
_TUNER = {"fingerprint?": dict, "chief?": (str, None), "ended?": (json_schema.COUNT, None)}
# The scores of a completed trial, beside other metrics.
_SCORES = {"accuracy": json_schema.SHARE, "balanced_accuracy": json_schema.SHARE, "loss": float}


def check_tuner(path):
  """Refuses a damaged or foreign file of a tuner.

  Args:
    path: The file.

  Raises:
    InputError: It is damaged or foreign.
  """
  _check(path, _TUNER)


def check_oracle(folder, path):
  """Refuses a damaged or foreign file of an oracle or of one of its trials.

  Args:
    folder: The project's folder.
    path: The oracle's file.

  Raises:
    InputError: One is damaged or foreign, or the score of a completed trial is not finite.
  """
  _check(path, _ORACLE)
  for trial in pathlib.Path(folder).glob("trial_*/trial.json"):
    status = _check(trial, _TRIAL)["status"]
    if status == "COMPLETED":
      _check(trial, {"score": float})


def check_scores(path):
  """Refuses a completed trial with impossible scores.

  Args:
    path: Its file.

  Raises:
    InputError: A score is not finite, or an accuracy is not in [0, 1].
  """
  kinds = {f"{name}?": {"observations": [{"value": [kind]}]} for name, kind in _SCORES.items()}
  _check(path, {"metrics": {"metrics": kinds}})


def _check(path, kind):
  try:
    return json_schema.read(path, kind)
  except errors.InputError as error:
    folder = pathlib.Path(path).parent
    folder = folder.parent if folder.name.startswith("trial_") else folder
    raise errors.InputError(f"{folder} must be {WHOLE}. Received: {error}") from error
