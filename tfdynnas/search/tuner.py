"""A keras-tuner tuner whose trials are subnets of one trained supernet, scored without training."""

import contextlib
import math
import os
import time
from collections.abc import Sequence
from typing import Any

import keras
import keras_tuner
from absl import logging

from tfdynnas import class_accuracy
from tfdynnas import errors
from tfdynnas.files import csv_file
from tfdynnas.search import baselines as baselines_lib
from tfdynnas.search import durable
from tfdynnas.search import hyperparameters
from tfdynnas.search import listeners
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import pareto
from tfdynnas.search import project_files
from tfdynnas.search import subnets
from tfdynnas.spaces import costs as costs_lib
from tfdynnas.spaces import limits as limits_lib

COLUMNS = (
    "trial", "arch", "string", "accuracy", "balanced_accuracy", "loss", "params", "macs"
)
_METRICS = (*class_accuracy.OBJECTIVES, "loss")
_COSTS = ("params", "macs")
_MORE = ("bytes", "latency")  # Further columns, if the space has these costs.
_WAIT_SECONDS = 0.2


class SupernetTuner(subnets.ModelTuner, durable.DurableTuner):
  """Runs any oracle over a space; each arch is scored once, by the caller's function.

  An oracle that does not know the limits may propose archs beyond them: such a trial completes with
  accuracy 0, so that the oracle learns to avoid them, and is left out of the results. A trial whose
  score raises or is not finite is FAILED, with one line in the log; as many of them in a row as the
  oracle allows end the search. keras-tuner's environment variables make it the chief of a
  distributed search, or a worker, which has no `history`.

  Attributes:
    space: Space.
    limited: LimitedSpace.
    done: int, ended trials; on a worker, those that it ran.
  """

  def __init__(self, oracle, space, score, directory=None, project_name=None, limits=None,
               fingerprint=None, progress=None, overwrite=False, **seconds):
    """Makes the tuner, and reloads the project if there is one.

    Args:
      oracle: EvolutionOracle, ParetoOracle, one of `stock_oracles`, or another with DurableOracle
        before keras_tuner.Oracle; its hyperparameters may narrow the space.
      space: Space.
      score: Callable: arch -> {"accuracy": in [0, 1], "balanced_accuracy": in [0, 1], "loss"}, all
        floats; the last two may be absent, the second only if it is not the objective. Or arch ->
        float, the accuracy.
      directory: Local folder of projects, or None for the working directory.
      project_name: Folder of this search in `directory`.
      limits: As for LimitedSpace; None for those of the oracle, if any.
      fingerprint: JSON values that identify the search (supernet, data); it is resumed only with
        the same values.
      progress: Callable(done, total or None, row of `history` or None), called after each trial.
      overwrite: Whether to delete an existing project.
      **seconds: lost_seconds and start_seconds of a distributed search, see SharedTuner.

    Raises:
      InputError: No arch meets the limits; the oracle has another space, other limits or an
        objective that is no accuracy; or the project is of another search.
    """
    if "://" in str(directory):
      raise errors.InputError(f"`directory` must be a local folder. Received: {directory}")
    _check_oracle(oracle)
    self.space, self._score, self._progress = _narrowed_as_oracle(oracle, space), score, progress
    self.limited = _limited_as_oracle(oracle, self.space, limits)
    # Failures are counted here: keras-tuner would raise within its lock, and never release it.
    self._most_failures, oracle.max_consecutive_failed_trials = (
        oracle.max_consecutive_failed_trials, None)
    self._failures, self._waiting, self._cache, self.done = 0, False, {}, 0
    described = {**_described(oracle, self.limited), **(fingerprint or {})}
    with contextlib.redirect_stdout(None):  # keras-tuner prints that it reads a project again.
      super().__init__(
          oracle, subnets.Subnets(self.space, score), directory=directory,
          project_name=project_name, overwrite=overwrite, fingerprint=described, **seconds)

  def reload(self) -> None:
    """Reads the project again.

    Raises:
      InputError: It is of another search, or damaged.
      FileNotFoundError: There is none.
    """
    super().reload()
    if not self._is_worker():
      self._take_trials()

  def _take_trials(self):
    """Takes over the trials of the project; refuses impossible archs and scores."""
    for trial_id, trial in self.oracle.trials.items():
      path = os.path.join(self.project_dir, f"trial_{trial_id}", "trial.json")
      try:
        hyperparameters.to_arch(self.space, trial.hyperparameters)
      except errors.InputError as error:
        raise errors.InputError(f"{path} must hold an arch. Received: {error}") from error
      if trial.status == "COMPLETED":
        project_files.check_scores(path)
    self.done = len(self.oracle.end_order)
    self._cache = {row["arch"]: _scores(row) for row in self.history()}

  @property
  def objective(self) -> str:
    """The metric that is maximised, `accuracy` or `balanced_accuracy`."""
    return self.oracle.objective.name

  def search(self, verbose: int = 0, callbacks: Sequence[keras.callbacks.Callback] = ()) -> None:
    """Searches until the oracle stops; an unfinished project is resumed.

    Args:
      verbose: 1 shows a progress bar, 0 nothing.
      callbacks: Sequence of keras.callbacks.Callback, copied for each trial, which they see as a
        training of one epoch: `on_epoch_end` receives its score. They have no model.

    Raises:
      InputError: Too many trials in a row failed, or a callback cannot be copied or needs a model.
      LostError: In a distributed search, the chief or every worker is silent.
    """
    if verbose and self._progress is None:
      self._progress = _Bar(
          self.objective, max((s[self.objective] for s in self._cache.values()), default=0.0))
    super().search(verbose=0, callbacks=listeners.check(callbacks))

  def run_trial(
      self, trial: Any, callbacks: Sequence[keras.callbacks.Callback] = (), **kwargs
  ) -> dict[str, float]:
    """Scores the arch of a trial.

    Args:
      trial: keras_tuner.engine.trial.Trial.
      callbacks: As for `search`.
      **kwargs: Not used.

    Returns:
      dict of floats: accuracy; balanced_accuracy and loss if `score` returns them; params, macs,
      bytes and latency if the space has them.
    """
    with listeners.listening(callbacks) as heard:
      heard.update(self._scored(trial))
    return heard

  def _scored(self, trial):
    """The result of `run_trial`."""
    arch = hyperparameters.to_arch(self.space, trial.hyperparameters)
    kinds = [kind for kind in (*_COSTS, *_MORE) if kind in self.space.costs]
    costs = {kind: float(self.space.cost(arch, kind)) for kind in kinds}
    if not self.limited.meets(arch):
      return {"accuracy": 0.0, self.objective: 0.0, **costs}
    if arch not in self._cache:
      score = _check_score(self.space.format(arch), self._score(arch), self.objective)
      self._cache[arch] = score
    return {**self._cache[arch], **costs}

  def pre_create_trial(self) -> None:
    """Waits a moment if there was no trial to run: keras-tuner would ask again at once."""
    if self._waiting:
      time.sleep(_WAIT_SECONDS)
    self._waiting = True

  def on_trial_begin(self, trial: Any) -> None:
    """Notes that there is a trial to run."""
    self._waiting = False
    super().on_trial_begin(trial)

  def on_trial_end(self, trial: Any) -> None:
    """Reports the trial, shows the progress, and counts the failures in a row."""
    super().on_trial_end(trial)
    self._count(trial)

  def watch(self) -> None:
    """Shows the progress of the workers' trials, and counts their failures in a row."""
    for trial_id in self.oracle.end_order[self.done:]:
      self._count(self.oracle.trials[trial_id])

  def _count(self, trial):
    self.done += 1
    failed = trial.status != "COMPLETED"
    reason = (trial.message or "").strip().rpartition("\n")[2].rpartition("FailedTrialError: ")[2]
    reason = reason or "its worker says why"  # keras-tuner's protocol does not send the reason.
    if failed:
      logging.error("Trial %s failed: %s", trial.trial_id, reason)
    if self._progress:
      self._progress(self.done, self.oracle.max_trials, self._row(trial))
    self._failures = self._failures + 1 if failed else 0
    if self._most_failures and self._failures >= self._most_failures:
      raise errors.InputError(f"{self._failures} trials in a row failed, the last one: {reason}")

  def history(self) -> list[dict[str, Any]]:
    """The scored trials, in the order in which they were proposed.

    Returns:
      list of dict: trial (int), arch (tuple of ints), string, accuracy, balanced_accuracy and loss
      (None if not given), params, macs (ints; None if the space does not have them); bytes (int),
      latency (float, milliseconds) if the space has them.
    """
    trials = sorted(self.oracle.trials.values(), key=lambda trial: int(trial.trial_id))
    return [row for row in map(self._row, trials) if row]

  def best(
      self, rows: Sequence[dict[str, Any]] | None = None
  ) -> tuple[tuple[int, ...], dict[str, Any]]:
    """The arch with the greatest objective; among equals the least loss, then the first.

    Args:
      rows: Rows of `history`, or None for all.

    Returns:
      (arch, metrics): tuple of ints, and its row of `history`.

    Raises:
      InputError: No trial was scored.
    """
    rows = self.history() if rows is None else rows
    if not rows:
      raise errors.InputError(f"No trial of {self.project_dir} was scored within the limits")
    row = max(rows, key=self.rank)
    return row["arch"], row

  def rank(self, row: dict[str, Any]) -> tuple[float, float]:
    """The sort key of a row of `history`, greater for a better row."""
    return row[self.objective], -(row["loss"] or 0.0)

  def baselines(
      self, count: int, seed: int = 0
  ) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    """Archs to compare the best one with; train all of them in the same way.

    Args:
      count: int >= 0, random archs that cost no more than the best one.
      seed: int in [0, 2**32).

    Returns:
      (randoms, largest): list of archs, fewer than `count` if there are no more; the arch with the
      most params within the limits, which may be the best one.

    Raises:
      InputError: No trial was scored, or `count` or `seed` is out of range.
    """
    limited = getattr(self.oracle, "limited", self.limited)
    return baselines_lib.choose(limited, self.best()[0], count, seed)

  def front(self, costs: Sequence[str]) -> list[dict[str, Any]]:
    """The trials that no other dominates in the objective and costs, from the cheapest up.

    Args:
      costs: Kinds of cost, at least one.

    Returns:
      list of dict, rows of `history`; archs with equal numbers are all included.
    """
    rows, costs = self.history(), pareto.check_costs(self.space, costs)
    points = [pareto.point(self.space, row["arch"], row[self.objective], costs) for row in rows]
    found = [(point, row) for point, row, front in zip(points, rows, pareto.fronts(points))
             if front == 0]
    return [row for _, row in sorted(found, key=lambda item: [-value for value in item[0][1:]])]

  def write_trials_csv(
      self, path: str | os.PathLike, rows: Sequence[dict[str, Any]] | None = None
  ) -> None:
    """Writes trials as a whole CSV file, each arch as `0,3,1,...`.

    Args:
      path: Path of the file.
      rows: Rows of `history`, or None for all.
    """
    columns = (*COLUMNS, *(kind for kind in _MORE if kind in self.space.costs))
    csv_file.write(path, columns, [{**row, "arch": ",".join(map(str, row["arch"]))}
                                   for row in (self.history() if rows is None else rows)])

  def _row(self, trial):
    """The trial's row of `history`, or None if it was not scored."""
    arch = hyperparameters.to_arch(self.space, trial.hyperparameters)
    if trial.status != "COMPLETED" or not self.limited.meets(arch):
      return None
    values = {name: float(trial.metrics.get_last_value(name)) for name in _METRICS
              if trial.metrics.exists(name)}
    kinds = (*_COSTS, *(kind for kind in _MORE if kind in self.space.costs))
    costs = {k: self.space.cost(arch, k) if k in self.space.costs else None for k in kinds}
    return {"trial": int(trial.trial_id), "arch": arch, "string": self.space.format(arch),
            **{name: values.get(name) for name in _METRICS}, **costs}


class _Bar:
  """Progress bar over the trials of this process and of earlier ones."""

  def __init__(self, objective, best):
    self._bar, self._objective, self._best = None, objective, best

  def __call__(self, done, total, row):
    if self._bar is None:
      self._bar = keras.utils.Progbar(
          total, unit_name="trial", stateful_metrics=[self._objective, "best"])
    values = []
    if row:
      self._best = max(self._best, row[self._objective])
      values = [(self._objective, row[self._objective]), ("best", self._best)]
    self._bar.update(done, values)


def _limited_as_oracle(oracle, space, limits):
  """The LimitedSpace of the given limits, which must be those of the oracle if it has any."""
  known = getattr(oracle, "limited", None)
  limited = limits_lib.LimitedSpace(space, known.limits if known and limits is None else limits)
  if known and known.limits != limited.limits:
    raise errors.InputError(f"The oracle has limits {known.limits}, the tuner {limited.limits}: "
                            "give them to the oracle alone")
  return limited


def _described(oracle, limited):
  """The settings that identify a search, beside how it scores."""
  return {"space": costs_lib.describe(limited.space), "limits": limited.limits,
          "oracle": type(oracle).__name__}


def _narrowed_as_oracle(oracle, space):
  """The space narrowed by an oracle's hyperparameters, which are completed in the oracle."""
  given = oracle.hyperparameters
  space = hyperparameters.narrowed(
      space, given if given.space else None, oracle.tune_new_entries, oracle.allow_new_entries)
  oracle.hyperparameters = hyperparameters.completed(space, given)
  return space


def _check_oracle(oracle):
  """Refuses an oracle that could not be resumed, or whose objective is no accuracy."""
  if not isinstance(oracle, durable.DurableOracle):
    raise errors.InputError(
        "`oracle` must be one of tfdynnas.search: keras-tuner's takes seed 0 for none, and a kill "
        "may empty its files. `stock_oracles` has RandomSearchOracle, BayesianOptimizationOracle "
        "and GridSearchOracle with the same arguments; your own needs DurableOracle before "
        f"keras_tuner.Oracle. Received: {type(oracle).__name__}"
    )
  if isinstance(oracle, keras_tuner.oracles.HyperbandOracle):
    raise errors.InputError(
        "`oracle` must need no epochs: a trial is only scored. Received: "
        f"{type(oracle).__name__}, which gives good trials more epochs"
    )
  objectives = [oracle_lib.objective(name) for name in class_accuracy.OBJECTIVES]
  if oracle.objective not in objectives:
    raise errors.InputError(
        f"The oracle's objective must be {' or '.join(map(str, objectives))}. "
        f"Received: {oracle.objective}")


def _check_score(text, score, objective):
  """The score of an arch as a dict of floats; a value that is not finite fails the trial."""
  score = score if hasattr(score, "keys") else {"accuracy": score}
  score = {name: float(score[name]) for name in _METRICS if name in score}
  for name, value in score.items():
    if not math.isfinite(value):
      raise keras_tuner.errors.FailedTrialError(f"The {name} of {text} is {value}")
  for name in dict.fromkeys(("accuracy", objective)):
    if not 0 <= score.get(name, -1) <= 1:
      raise keras_tuner.errors.FatalValueError(
          f"`score` must give {name} in [0, 1]. Received: {score} for {text}")
  return score


def _scores(row):
  return {name: row[name] for name in _METRICS if row[name] is not None}
