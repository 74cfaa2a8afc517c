"""A keras-tuner tuner whose trials are subnets of one trained supernet: each is only scored."""

import contextlib
import csv
import io
import math
import time

import keras
import keras_tuner
from absl import logging

from tfdynnas import errors
from tfdynnas import whole_file
from tfdynnas.search import hyperparameters
from tfdynnas.search import limits as limits_lib
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import pareto
from tfdynnas.search.durable import DurableTuner
from tfdynnas.spaces import budgets

COLUMNS = ("trial", "arch", "string", "accuracy", "loss", "params", "macs")
_COSTS = ("params", "macs")
_MORE = ("bytes", "latency")  # Columns of their own, of a space that has them.
_WAIT_SECONDS = 0.2


class SupernetTuner(DurableTuner):
  """Runs any oracle over a space; each arch is scored once, by a function of the caller.

  An oracle that does not know the limits may propose archs beyond them: such a trial completes with
  accuracy 0, so that the oracle learns to stay away, and is no part of the results. A trial whose
  score is not finite, or fails, is a FAILED trial with one line in the log; as many of them in
  a row as the oracle allows end the search. By keras-tuner's variables of the environment it is the
  chief of a search by several, or a worker, which knows no `history`.

  Attributes:
    space: Space.
    limited: LimitedSpace.
    done: int, trials that ended; of a worker its own.
  """

  def __init__(self, oracle, space, score, directory=None, project_name=None, limits=None,
               fingerprint=None, progress=None, overwrite=False, **seconds):
    """Makes the tuner, and reloads the project if there is one.

    Args:
      oracle: keras_tuner.Oracle over `to_hyperparameters(space)`.
      space: Space.
      score: Callable: arch to {"accuracy": float in [0, 1], "loss": float}; the loss may be absent.
      directory: Local folder of projects, or None for the working directory.
      project_name: Folder of this search in `directory`.
      limits: Limits, or a mapping of kind to greatest cost; None for those of the oracle, if any.
      fingerprint: JSON values that make the search what it is (supernet, data): a project is
        resumed only with the same.
      progress: Callable(done, total or None, row of `history` or None), after each trial.
      overwrite: Whether to delete a project that is there.
      **seconds: lost_seconds and start_seconds of a search by several, see SharedTuner.

    Raises:
      InputError: No arch meets the limits; the oracle has another space, other limits or another
        objective than accuracy; or the project is of another search.
    """
    self.space, self._score, self._progress = space, score, progress
    self.limited = _limited_as_oracle(oracle, space, limits)
    if "://" in str(directory):
      raise errors.InputError(f"`directory` must be a local folder. Received: {directory}")
    _check_oracle(oracle, space)
    # keras-tuner raises within a lock that it then keeps, so the failures are counted here.
    self._most_failures, oracle.max_consecutive_failed_trials = (
        oracle.max_consecutive_failed_trials, None)
    self._failures, self._waiting, self._cache, self.done = 0, False, {}, 0
    described = {"space": budgets.describe(space), "limits": self.limited.limits,
                 "oracle": type(oracle).__name__, **(fingerprint or {})}
    with contextlib.redirect_stdout(None):  # keras-tuner prints that it reads a project again.
      super().__init__(oracle, directory=directory, project_name=project_name, overwrite=overwrite,
                       fingerprint=described, **seconds)
    if not self._is_worker():
      self.done = len(oracle.end_order)
      self._cache = {row["arch"]: _scores(row) for row in self.history()}

  def search(self, verbose=0):
    """Searches until the oracle stops; a project that was begun goes on.

    Args:
      verbose: 1 shows a progress bar, 0 nothing.

    Raises:
      InputError: Too many trials in a row failed.
      LostError: In a search by several the chief, or every worker, is silent.
    """
    if verbose and self._progress is None:
      self._progress = _Bar(max((s["accuracy"] for s in self._cache.values()), default=0.0))
    super().search(verbose=0)

  def run_trial(self, trial, **kwargs):
    """Scores the arch of a trial.

    Args:
      trial: keras_tuner.engine.trial.Trial.
      **kwargs: Not used.

    Returns:
      dict of floats: accuracy, loss if `score` gives one, params, macs, bytes and latency if the
      space has them.
    """
    arch = hyperparameters.to_arch(self.space, trial.hyperparameters)
    kinds = [kind for kind in (*_COSTS, *_MORE) if kind in self.space.costs]
    costs = {kind: float(self.space.cost(arch, kind)) for kind in kinds}
    if not self.limited.meets(arch):
      return {"accuracy": 0.0, **costs}
    if arch not in self._cache:
      self._cache[arch] = _check_score(self.space.format(arch), self._score(arch))
    return {**self._cache[arch], **costs}

  def pre_create_trial(self):
    """Waits a moment if there was no trial to run: keras-tuner asks again at once."""
    if self._waiting:
      time.sleep(_WAIT_SECONDS)
    self._waiting = True

  def on_trial_begin(self, trial):
    """Notes that there is a trial to run."""
    self._waiting = False
    super().on_trial_begin(trial)

  def on_trial_end(self, trial):
    """Reports the trial, shows the progress, and counts the failures in a row."""
    super().on_trial_end(trial)
    self._count(trial)

  def watch(self):
    """Does for the trials of the workers what `on_trial_end` does."""
    for trial_id in self.oracle.end_order[self.done:]:
      self._count(self.oracle.trials[trial_id])

  def _count(self, trial):
    self.done += 1
    failed = trial.status != "COMPLETED"
    reason = (trial.message or "").strip().rpartition("\n")[2].rpartition("FailedTrialError: ")[2]
    reason = reason or "its worker says why"  # Which keras-tuner's protocol does not tell.
    if failed:
      logging.error("Trial %s failed: %s", trial.trial_id, reason)
    if self._progress:
      self._progress(self.done, self.oracle.max_trials, self._row(trial))
    self._failures = self._failures + 1 if failed else 0
    if self._most_failures and self._failures >= self._most_failures:
      raise errors.InputError(f"{self._failures} trials in a row failed, the last one: {reason}")

  def history(self):
    """The trials that were scored, in the order in which they were proposed.

    Returns:
      list of dict: trial (int), arch (tuple of ints), string, accuracy, loss (None if not given),
      params, macs (ints; None if the space does not have them); bytes (int), latency (float,
      milliseconds) if the space has them.
    """
    trials = sorted(self.oracle.trials.values(), key=lambda trial: int(trial.trial_id))
    return [row for row in map(self._row, trials) if row]

  def best(self, rows=None):
    """The arch of greatest accuracy; of equals that of least loss, then the first.

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
    row = max(rows, key=lambda row: (row["accuracy"], -(row["loss"] or 0.0)))
    return row["arch"], row

  def front(self, costs):
    """The trials that no other surpasses in accuracy and costs, from the cheapest up.

    Args:
      costs: Kinds of cost, at least one.

    Returns:
      list of dict, rows of `history`; archs with the same numbers are all there.
    """
    rows, costs = self.history(), pareto.check_costs(self.space, costs)
    points = [pareto.point(self.space, row["arch"], row["accuracy"], costs) for row in rows]
    found = [(point, row) for point, row, front in zip(points, rows, pareto.fronts(points))
             if front == 0]
    return [row for _, row in sorted(found, key=lambda item: [-value for value in item[0][1:]])]

  def write_trials_csv(self, path, rows=None):
    """Writes trials as CSV, in one step; an arch is written `0,3,1,...`.

    Args:
      path: Path of the file.
      rows: Rows of `history`, or None for all.
    """
    text = io.StringIO()
    columns = (*COLUMNS, *(kind for kind in _MORE if kind in self.space.costs))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in self.history() if rows is None else rows:
      writer.writerow({**row, "arch": ",".join(map(str, row["arch"]))})
    whole_file.write_text(path, text.getvalue())

  def _row(self, trial):
    """The trial's row of `history`, or None if it was not scored."""
    arch = hyperparameters.to_arch(self.space, trial.hyperparameters)
    if trial.status != "COMPLETED" or not self.limited.meets(arch):
      return None
    values = {name: float(trial.metrics.get_last_value(name)) for name in ("accuracy", "loss")
              if trial.metrics.exists(name)}
    kinds = (*_COSTS, *(kind for kind in _MORE if kind in self.space.costs))
    costs = {k: self.space.cost(arch, k) if k in self.space.costs else None for k in kinds}
    return {"trial": int(trial.trial_id), "arch": arch, "string": self.space.format(arch),
            "accuracy": values["accuracy"], "loss": values.get("loss"), **costs}


class _Bar:
  """Progress bar over the trials of this process and those before it."""

  def __init__(self, best):
    self._bar, self._best = None, best

  def __call__(self, done, total, row):
    if self._bar is None:
      self._bar = keras.utils.Progbar(
          total, unit_name="trial", stateful_metrics=["accuracy", "best"])
    values = []
    if row:
      self._best = max(self._best, row["accuracy"])
      values = [("accuracy", row["accuracy"]), ("best", self._best)]
    self._bar.update(done, values)


def _limited_as_oracle(oracle, space, limits):
  """The LimitedSpace of the limits given, which are those of an oracle that has some."""
  known = getattr(oracle, "limited", None)
  limited = limits_lib.LimitedSpace(space, known.limits if known and limits is None else limits)
  if known and known.limits != limited.limits:
    raise errors.InputError(f"The oracle has limits {known.limits}, the tuner {limited.limits}: "
                            "give them to the oracle alone")
  return limited


def _check_oracle(oracle, space):
  """Refuses an oracle of another space, or with another aim."""
  objective = oracle_lib.objective()
  if (oracle.objective.name, oracle.objective.direction) != (objective.name, objective.direction):
    raise errors.InputError(
        f"The oracle's objective must be {objective}. Received: {oracle.objective}")
  given = {choice.name: list(choice.values) for choice in oracle.get_space().space}
  wanted = hyperparameters.to_hyperparameters(space).space
  for choice in wanted:
    if given.get(choice.name) != list(choice.values):
      raise errors.InputError(
          f"The oracle needs the hyperparameters of `{space.name}`: {choice.name} in "
          f"{', '.join(choice.values)}. Received: {given.get(choice.name)}")


def _check_score(text, score):
  """The score of an arch as a dict of floats; one that is not finite fails the trial."""
  score = {name: float(score[name]) for name in ("accuracy", "loss") if name in score}
  for name, value in score.items():
    if not math.isfinite(value):
      raise keras_tuner.errors.FailedTrialError(f"The {name} of {text} is {value}")
  if not 0 <= score.get("accuracy", -1) <= 1:
    raise keras_tuner.errors.FatalValueError(
        f"`score` must give an accuracy in [0, 1]. Received: {score} for {text}")
  return score


def _scores(row):
  return {name: row[name] for name in ("accuracy", "loss") if row[name] is not None}
