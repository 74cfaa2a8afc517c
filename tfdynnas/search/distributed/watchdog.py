"""Searches by several processes, any of which may be lost: each ends or goes on within a time.

keras-tuner 1.4.8 waits an hour for a lost chief and for ever for a lost worker, and its protocol
has floats of 32 bits.
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
_FAREWELL_SECONDS = 5.0  # In which workers that wait ask, and hear that the search has ended.


class SharedOracle(keras_tuner.Oracle):
  """Mixin before an Oracle: workers may be lost, come again, and report late.

  Attributes:
    lost_seconds: A trial whose worker is silent for longer is given to another.
    heard: When a worker was last heard of, by time.monotonic; None before the first.
    stopped: Whether a worker was told that the search has ended.
    token: str, what tells a chief from others; None in a search of one process.
  """

  def __init__(self, *args, **kwargs):
    """Makes the oracle; arguments as the oracle that is mixed in."""
    super().__init__(*args, **kwargs)
    self.lost_seconds, self.heard, self.stopped = float("inf"), None, False
    self.token, self._heard_of = None, {}
    # keras-tuner's own lock stays taken when something is raised within.
    self.lock = threading.RLock()

  def get_space(self):
    """The hyperparameters; in them workers find the token of the chief they reached."""
    space = super().get_space()
    if self.token:
      space.Fixed("chief", self.token)
    return space

  def create_trial(self, tuner_id):
    """Gives a worker the trial that it had, else that of a lost worker, else a new one."""
    with self.lock:
      self._take_back(tuner_id)
      trial = super().create_trial(tuner_id)
      if trial.status == "STOPPED" and self.ongoing_trials:  # One of them may yet be lost.
        trial.status = "IDLE"
        self.tuner_ids.add(tuner_id)
      self.stopped = trial.status == "STOPPED"
      self._hear(trial.trial_id)
      return trial

  def _take_back(self, asking):
    """Readies the trials that are to be begun again."""
    for tuner_id, trial in list(self.ongoing_trials.items()):
      silent = time.monotonic() - self._heard_of[trial.trial_id] > self.lost_seconds
      if tuner_id == asking or silent:
        trial.metrics = type(trial.metrics)()  # Else a second report would count as a late one.
      if tuner_id != asking and silent:
        del self.ongoing_trials[tuner_id]
        self.tuner_ids.discard(tuner_id)
        self._retry_queue.append(trial.trial_id)

  def get_trial(self, trial_id):
    """The trial; a worker that asks for it is alive."""
    self._hear(trial_id)
    return super().get_trial(trial_id)

  def update_trial(self, trial_id, metrics, step=0):
    """Takes a report, unless the trial was finished by another worker.

    Args:
      trial_id: str.
      metrics: Mapping of names to floats, or what `Client` makes of it.
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
    """Ends a trial, unless it was, or was reported to a chief that was killed since.

    Args:
      trial: keras_tuner.engine.trial.Trial; or its id, as `trial_id`.
      status: str, how the trial of an id ended.
      trial_id: str.

    Raises:
      InputError: It is completed, and nothing was reported of it.
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
    if unknown:  # keras-tuner would raise within a lock that it then keeps.
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
  """Mixin before a BaseTuner: a chief or a worker ends when it hears nothing for a stated time.

  Attributes:
    token: str, what tells the chief from others; None in a search of one process.
    ended: The oracle's `max_trials` when the search ended, None before: a worker that comes later
      than that has nothing to do.
  """

  def __init__(self, *args, lost_seconds=roles.LOST_SECONDS, start_seconds=roles.START_SECONDS,
               **kwargs):
    """Makes the tuner.

    Args:
      *args: As the tuner that is mixed in.
      lost_seconds: Silence after which a chief or a worker counts as lost, seconds > 0.
      start_seconds: How long the chief waits for a first worker, and workers for the chief.
      **kwargs: As the tuner that is mixed in.
    """
    self._role, self.token, self.ended = roles.role(), None, None
    self._lost_seconds, self._start_seconds = lost_seconds, start_seconds
    super().__init__(*args, **kwargs)

  def search(self, **kwargs):
    """Searches: alone, as the chief, or as a worker of a chief.

    Args:
      **kwargs: As the tuner that is mixed in.

    Raises:
      InputError: The chief cannot serve at its address, or the chief is another's.
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
    """What the chief does again and again while workers search."""

  def _serve(self, **kwargs):
    """Lets keras-tuner serve on a thread of its own, and watches that all goes on."""
    if len(self.oracle.end_order) >= (self.oracle.max_trials or float("inf")):
      return
    roles.refuse_used_address()
    self.token = self.oracle.token = secrets.token_hex(8)
    self.oracle.lost_seconds, begin = self._lost_seconds, time.monotonic()
    died = []
    threading.Thread(target=_call, args=[super().search, kwargs, died], daemon=True).start()
    while not self.oracle.stopped:
      time.sleep(_PAUSE_SECONDS)
      if died:  # A RuntimeError is gRPC's, of what it cannot bind.
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
    """Whether the search has ended, as its folder says."""
    try:
      self.reload()
    except FileNotFoundError:
      return False
    return self.ended is not None and self.ended == self.oracle.max_trials


def _call(function, kwargs, died):
  """Calls on a thread of its own, whose end by an error would go unheard."""
  try:
    function(**kwargs)
  except Exception as error:
    died.append(error)


class _Lost(keras_tuner.errors.FatalError):
  """The chief is silent. Fatal, or keras-tuner would take it for a failed trial."""


class Client:
  """keras-tuner's client of the chief, which says that it is alive and does not wait for ever."""

  def __init__(self, client, seconds):
    """Takes the client over.

    Args:
      client: What keras-tuner gave a worker for an oracle.
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
    """Reports: the name of one more metric says in full what the wire would round to 32 bits."""
    return self._client.update_trial(trial_id, {**metrics, json.dumps(metrics): 0.0}, step)

  def end_trial(self, trial):
    """Says that a trial has ended."""
    self._trial_id = None
    self._client.end_trial(trial)

  def close(self):
    """Says no longer that it is alive."""
    self._closed.set()

  def _beat(self):
    while not self._closed.wait(self._seconds / 5):
      if self._trial_id is not None:
        try:
          self._client.get_trial(self._trial_id)
        except _Lost:
          continue  # The worker finds out when it reports.


class _Stub:
  """The calls of keras-tuner's service, each answered within a time or given up."""

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
        except grpc.RpcError as error:  # It may come again: no call counts twice.
          if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > end:
            raise _Lost(error.details()) from error
        time.sleep(_PAUSE_SECONDS)

    return answered
