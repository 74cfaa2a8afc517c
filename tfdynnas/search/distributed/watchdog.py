"""Distributed searches: if a process is lost, every other one continues or ends within a time.

keras-tuner 1.4.8 waits an hour for a lost chief and for ever for a lost worker, and its protocol
has 32-bit floats.
"""

import json
import secrets
import threading
import time

import grpc
import keras_tuner

from tfdynnas import errors
from tfdynnas.search.distributed import roles

_PAUSE_SECONDS = 0.1
_FAREWELL_SECONDS = 5.0  # Time for waiting workers to ask, and learn that the search has ended.


class SharedOracle(keras_tuner.Oracle):
  """Mixin before an Oracle: workers may be lost, return, and report late.

  Attributes:
    lost_seconds: A trial whose worker is silent for longer is given to another worker.
    heard: Time of the last call of a worker, by time.monotonic; None before the first.
    stopped: Whether a worker has learnt that the search has ended.
    token: str that identifies the chief; None in a search of one process.
  """

  def __init__(self, *args, **kwargs):
    """Makes the oracle; arguments as the oracle that is mixed in."""
    super().__init__(*args, **kwargs)
    self.lost_seconds, self.heard, self.stopped = float("inf"), None, False
    self.token, self._heard_of = None, {}
    # keras-tuner's own lock is not released when an exception is raised within it.
    self.lock = threading.RLock()

  def get_space(self):
    """The hyperparameters, which include the chief's token for the workers."""
    space = super().get_space()
    if self.token:
      space.Fixed("chief", self.token)
    return space

  def create_trial(self, tuner_id):
    """Gives a worker its unfinished trial, else that of a lost worker, else a new one."""
    with self.lock:
      self._take_back(tuner_id)
      trial = super().create_trial(tuner_id)
      if trial.status == "STOPPED" and self.ongoing_trials:  # Their workers may yet be lost.
        trial.status = "IDLE"
        self.tuner_ids.add(tuner_id)
      self.stopped = trial.status == "STOPPED"
      self._hear(trial.trial_id)
      return trial

  def _take_back(self, asking):
    """Prepares the trials that must be restarted."""
    for tuner_id, trial in list(self.ongoing_trials.items()):
      silent = time.monotonic() - self._heard_of[trial.trial_id] > self.lost_seconds
      if tuner_id == asking or silent:
        trial.metrics = type(trial.metrics)()  # Else a second report would be taken as late.
      if tuner_id != asking and silent:
        del self.ongoing_trials[tuner_id]
        self.tuner_ids.discard(tuner_id)
        self._retry_queue.append(trial.trial_id)

  def get_trial(self, trial_id):
    """The trial; a worker that asks for it is alive."""
    self._hear(trial_id)
    return super().get_trial(trial_id)

  def update_trial(self, trial_id, metrics, step=0):
    """Takes a report, unless another worker has finished the trial.

    Args:
      trial_id: str.
      metrics: Mapping of names to floats, as is or as `Client` sends it.
      step: int.

    Returns:
      The trial.
    """
    with self.lock:
      self._hear(trial_id)
      if trial_id in self.end_order:
        return self.trials[trial_id]
      exact = [name for name in metrics if name.startswith("{")]
      return super().update_trial(trial_id, json.loads(exact[0]) if exact else metrics, step)

  def end_trial(self, trial=None, status="COMPLETED", trial_id=None):
    """Ends a trial, unless it has ended, or was reported to a chief that has been killed since.

    Args:
      trial: keras_tuner.engine.trial.Trial; or its id, as `trial_id`.
      status: str, how the trial ended, if its id is given.
      trial_id: str.

    Raises:
      InputError: It is completed without a report.
    """
    with self.lock:
      self._end(trial, status, trial_id)

  def _end(self, trial, status, trial_id):
    if trial is None or isinstance(trial, str):
      known = self.trials[trial_id if trial is None else trial]
      trial = keras_tuner.engine.trial.Trial(known.hyperparameters, known.trial_id, status)
    known = self.trials[trial.trial_id]
    unknown = trial.status == "COMPLETED" and not known.metrics.exists(self.objective.name)
    if trial.trial_id in self.end_order or (unknown and self.token):
      return
    if unknown:  # keras-tuner would raise within its lock, and never release it.
      raise errors.InputError(
          f"Trial {trial.trial_id} must report {self.objective.name} before it is completed. "
          "Received: nothing"
      )
    if trial.trial_id in self._retry_queue:
      self._retry_queue.remove(trial.trial_id)
    super().end_trial(trial)

  def _hear(self, trial_id):
    self.heard = self._heard_of[trial_id] = time.monotonic()


class SharedTuner(keras_tuner.engine.base_tuner.BaseTuner):
  """Mixin before a BaseTuner: a chief or a worker ends when the other is silent for a stated time.

  Attributes:
    token: str that identifies the chief; None in a search of one process.
    ended: The oracle's `max_trials` when the search ended, None before: a worker that starts after
      the end has nothing to do.
  """

  def __init__(self, *args, lost_seconds=roles.LOST_SECONDS, start_seconds=roles.START_SECONDS,
               **kwargs):
    """Makes the tuner.

    Args:
      *args: Arguments of the tuner that is mixed in.
      lost_seconds: Silence after which a chief or a worker counts as lost, seconds > 0.
      start_seconds: How long the chief waits for a first worker, and workers for the chief.
      **kwargs: Arguments of the tuner that is mixed in.
    """
    self._role, self.token, self.ended = roles.role(), None, None
    self._lost_seconds, self._start_seconds = lost_seconds, start_seconds
    super().__init__(*args, **kwargs)

  def search(self, **kwargs):
    """Searches: alone, as the chief, or as a worker of a chief.

    Args:
      **kwargs: Arguments of the tuner that is mixed in.

    Raises:
      InputError: The chief cannot serve at its address, or works in another folder.
      LostError: The chief, or every worker, is silent.
    """
    if self._role == "worker":
      self._work(**kwargs)
      return
    if self._role == "chief":
      if self.ended is not None and self.ended == self.oracle.max_trials:
        return
      self.ended = None
      self._serve(**kwargs)
    else:
      self.ended = None
      super().search(**kwargs)
    self.ended = self.oracle.max_trials
    self.save()

  def watch(self):
    """Called by the chief repeatedly while workers search."""

  def _serve(self, **kwargs):
    """Serves by keras-tuner on another thread, and watches that the workers are alive."""
    if len(self.oracle.end_order) >= (self.oracle.max_trials or float("inf")):
      return
    roles.refuse_used_address()
    self.token = self.oracle.token = secrets.token_hex(8)
    self.oracle.lost_seconds, begin = self._lost_seconds, time.monotonic()
    died = []
    threading.Thread(target=_call, args=[super().search, kwargs, died], daemon=True).start()
    while not self.oracle.stopped:
      time.sleep(_PAUSE_SECONDS)
      if died:  # gRPC raises a RuntimeError for an address that it cannot bind.
        refused = isinstance(died[0], RuntimeError)
        raise (roles.unserved(died[0]) if refused else died[0]) from died[0]
      self.watch()
      most = self._lost_seconds if self.oracle.heard else self._start_seconds
      if time.monotonic() - (self.oracle.heard or begin) > most:
        raise roles.lost_workers(most)
    end = time.monotonic() + _FAREWELL_SECONDS
    while self.oracle.tuner_ids and time.monotonic() < end:
      time.sleep(_PAUSE_SECONDS)
    self.oracle.tuner_ids.clear()  # So that keras-tuner's thread ends.
    self.watch()

  def _work(self, **kwargs):
    """Scores what the chief proposes."""
    if not roles.wait_for_chief(self._start_seconds, self._has_ended):
      return
    with_chief = Client(self.oracle, self._lost_seconds)
    try:
      token = with_chief.get_space().get("chief")
      self.reload()
      if self.token != token:
        raise roles.other_chief(self.project_dir)
      self.oracle = with_chief
      super().search(**kwargs)
    except _Lost as error:
      raise roles.lost_chief(self._lost_seconds, error) from error
    except FileNotFoundError as error:
      raise roles.other_chief(self.project_dir) from error
    finally:
      with_chief.close()


  def _has_ended(self):
    """Whether the search has ended, by its files."""
    try:
      self.reload()
    except FileNotFoundError:
      return False
    return self.ended is not None and self.ended == self.oracle.max_trials


def _call(function, kwargs, died):
  """Calls a function on a thread, and keeps its exception, which would be lost otherwise."""
  try:
    function(**kwargs)
  except Exception as error:
    died.append(error)


class _Lost(keras_tuner.errors.FatalError):
  """The chief is silent. Fatal, since keras-tuner would take other errors for a failed trial."""


class Client:
  """keras-tuner's client of the chief, with heartbeats and time limits."""

  def __init__(self, client, seconds):
    """Wraps a client.

    Args:
      client: keras-tuner's client, which a worker has as its oracle.
      seconds: float, how long to wait for an answer.
    """
    self._client, self._seconds = client, seconds
    client.stub = _Stub(client.stub, seconds)
    self._trial_id, self._closed = None, threading.Event()
    threading.Thread(target=self._beat, daemon=True).start()

  def __getattr__(self, name):
    return getattr(self._client, name)

  def create_trial(self, tuner_id):
    """The next trial of this worker."""
    trial = self._client.create_trial(tuner_id)
    self._trial_id = trial.trial_id if trial.status == "RUNNING" else None
    return trial

  def update_trial(self, trial_id, metrics, step=0):
    """Reports metrics; one more, named by their JSON, carries what 32 bits would round."""
    return self._client.update_trial(trial_id, {**metrics, json.dumps(metrics): 0.0}, step)

  def end_trial(self, trial):
    """Reports that a trial has ended."""
    self._trial_id = None
    self._client.end_trial(trial)

  def close(self):
    """Stops the heartbeats."""
    self._closed.set()

  def _beat(self):
    while not self._closed.wait(self._seconds / 5):
      if self._trial_id is not None:
        try:
          self._client.get_trial(self._trial_id)
        except _Lost:
          continue  # The worker will notice when it reports.


class _Stub:
  """The calls of keras-tuner's service, each with a time limit."""

  def __init__(self, stub, seconds):
    self._stub, self._seconds = stub, seconds

  def __getattr__(self, name):
    call = getattr(self._stub, name)

    def answered(request, **_):
      end = time.monotonic() + self._seconds
      while True:
        try:
          left = max(end - time.monotonic(), _PAUSE_SECONDS)
          return call(request, wait_for_ready=True, timeout=left)
        except grpc.RpcError as error:  # The chief may return; a repeated call does no harm.
          if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > end:
            raise _Lost(error.details()) from error
        time.sleep(_PAUSE_SECONDS)

    return answered
