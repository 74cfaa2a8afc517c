"""Searches that survive a kill at any moment, and are never resumed as another search.

keras-tuner 1.4.8 empties its JSON files before it writes them, takes seed 0 for no seed, and
resumes with the stored space and seed whatever the new ones are.
"""

import json
import os
from typing import Any

from tfdynnas import errors
from tfdynnas.files import atomic
from tfdynnas.files import damage
from tfdynnas.files import identity
from tfdynnas.search import project_files
from tfdynnas.search.distributed import watchdog

_FINISHED = ("COMPLETED", "FAILED")
# What keras-tuner raises for an empty or foreign file; RuntimeError is its own.
_DAMAGED = (*damage.PARSED, RuntimeError)


def _write(path, values):
  """Writes JSON whole, without waiting for the disk: that takes milliseconds, three times a trial.

  So a loss of power may leave an empty file, which is refused when it is read.
  """
  atomic.write_text(path, json.dumps(values), sync=False)


def _whole(folder, *more):
  """Context that turns the exceptions of a damaged project, and `more`, into an InputError."""
  kinds = (*_DAMAGED, *more)
  return damage.refused(folder, project_files.WHOLE, kinds)


def _refuse_other(place, stored, given):
  """Refuses to resume a search as another one; both are fingerprints or None."""
  rule = f"The search in {place} must be the one that was begun; go on with that, or move it away"
  identity.refuse_other(rule, stored, given)


class _Seed(int):
  """An int that is true: keras-tuner replaces a false seed by a random one."""

  def __bool__(self):
    return True


class DurableOracle(watchdog.SharedOracle):
  """Mixin before an Oracle: whole files, a reload after any kill, seed 0, the same search or none.

  The state is derived from the files of the trials, which oracle.json may lag behind. So proposals
  must follow from the trials and the seed: keras-tuner's random draws do, since each trial starts
  them from the seed and its number.
  """

  def __init__(self, *args, seed=None, fingerprint=None, **kwargs):
    """Makes the oracle.

    Args:
      *args: Arguments of the oracle that is mixed in.
      seed: Int in [0, 2**32), or None: a random one, or that of the resumed project.
      fingerprint: Nested dicts of JSON values that identify this search.
      **kwargs: Arguments of the oracle that is mixed in.

    Raises:
      InputError: The seed is out of range.
    """
    self._seeded = seed is not None
    if self._seeded and (type(seed) is bool or not isinstance(seed, int) or not 0 <= seed < 2**32):
      raise errors.InputError(f"`seed` must be an integer in [0, 2**32). Received: seed={seed}")
    super().__init__(*args, seed=_Seed(seed) if self._seeded else None, **kwargs)
    self._fingerprint = {"seed": self.seed, **(fingerprint or {})}

  def _set_project_dir(self, directory, project_name):
    """Checks the project's folder before anything is written: trials are found by a pattern."""
    errors.refuse_pattern("directory", directory)
    errors.refuse_pattern("project_name", project_name)
    super()._set_project_dir(directory, project_name)

  def create_trial(self, tuner_id):
    """Gives a worker a trial; the random draws of a new one follow from the seed and its number."""
    with self.lock:
      self._seed_state = (self.seed << 32) + (len(self.trials) << 16)
      return super().create_trial(tuner_id)

  def get_state(self):
    """State for oracle.json: keras-tuner's, and the fingerprint."""
    return {**super().get_state(), "fingerprint": self._fingerprint}

  def set_state(self, state):
    """Takes the state of oracle.json.

    Raises:
      InputError: It is of another search.
    """
    stored = {"seed": state["seed"], **(state.get("fingerprint") or {})}
    if not self._seeded:
      self._fingerprint["seed"] = stored["seed"]
    place = self._project_dir if hasattr(self, "_directory") else "this state"
    _refuse_other(place, stored, self._fingerprint)
    super().set_state(state)

  def save(self):
    """Writes oracle.json in one step."""
    _write(self._get_oracle_fname(), self.get_state())

  def _save_trial(self, trial):
    path = os.path.join(self._get_trial_dir(trial.trial_id), "trial.json")
    _write(path, trial.get_state())

  def reload(self):
    """Reads the trials and oracle.json, and updates the state from the trials.

    Raises:
      InputError: The project is of another search, or damaged.
    """
    with _whole(self._project_dir, OSError):
      project_files.check_oracle(self._project_dir, self._get_oracle_fname())
      super().reload()
      self._bring_up()

  def _bring_up(self):
    """Derives the state from the trials; a missing one raises what a damaged file does."""
    known = {*self.trials, *self.start_order}
    if sorted(map(int, known)) != list(range(len(self.trials))):
      raise ValueError("a trial is missing")
    order = sorted(self.trials, key=int)
    self.trials = {trial_id: self.trials[trial_id] for trial_id in order}
    finished = [i for i in order if self.trials[i].status in _FINISHED]
    self.start_order += [i for i in order if i not in set(self.start_order)]
    self.end_order = [i for i in self.end_order if i in set(finished)]
    self.end_order += [i for i in finished if i not in set(self.end_order)]
    # keras-tuner takes the next trial from the end.
    self._retry_queue = [i for i in reversed(order) if i not in set(finished)]
    for trial in self.trials.values():
      self._record_values(trial)
      if trial.status == "COMPLETED":
        float(trial.metrics.get_last_value(self.objective.name))  # Raises if it is missing.
      if trial.status not in _FINISHED:
        trial.metrics = type(trial.metrics)()  # Else a second report would be taken as late.


class DurableTuner(watchdog.SharedTuner):
  """Mixin before a BaseTuner: its file is whole, and is written before the first trial.

  Without that file, keras-tuner starts again and ignores the trials.
  """

  def __init__(self, *args, fingerprint=None, **kwargs):
    """Makes the tuner, and reloads the project if there is one.

    Args:
      *args: Arguments of the tuner that is mixed in.
      fingerprint: Nested dicts of JSON values that identify this search.
      **kwargs: Arguments of the tuner that is mixed in.

    Raises:
      InputError: The project is of another search, or has trials but no file of their search.
    """
    self._fingerprint = dict(fingerprint or {})
    super().__init__(*args, **kwargs)
    if not self._is_worker() and not os.path.exists(self._get_tuner_fname()):
      if any(name.startswith("trial_") for name in os.listdir(self.project_dir)):
        raise errors.InputError(
            f"{self.project_dir} has trials, but not the file of the search they belong to: "
            "overwrite it, or take another project"
        )
      self.save()

  def reload(self) -> None:
    """Reads the project again.

    Raises:
      InputError: It is of another search, or damaged.
      FileNotFoundError: There is none.
    """
    with _whole(self.project_dir):
      os.stat(self._get_tuner_fname())  # On TensorFlow, keras-tuner would raise no OSError.
      project_files.check_tuner(self._get_tuner_fname())
      super().reload()

  def get_state(self) -> dict[str, Any]:
    """State for the tuner's file."""
    return {**super().get_state(), "fingerprint": self._fingerprint, "chief": self.token,
            "ended": self.ended}

  def set_state(self, state: dict[str, Any]) -> None:
    """Takes the state of the tuner's file.

    Raises:
      InputError: It is of another search.
    """
    _refuse_other(self.project_dir, state.get("fingerprint"), self._fingerprint)
    self.token, self.ended = state.get("chief"), state.get("ended")
    super().set_state(state)

  def save(self) -> None:
    """Writes the oracle's file and the tuner's; a worker writes nothing."""
    if not self._is_worker():
      self.oracle.save()
      _write(self._get_tuner_fname(), self.get_state())

  def _get_tuner_fname(self):
    """One name for all, so that a search can be resumed alone or by a chief."""
    return os.path.join(self.project_dir, "tuner0.json")
