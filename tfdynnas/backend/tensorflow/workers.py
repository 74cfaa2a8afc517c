"""Several processes that train one supernet on TensorFlow: they start, step and end together."""

import contextlib
import faulthandler
import signal
import socket
import subprocess
import threading

import tensorflow as tf

from tfdynnas import errors
from tfdynnas.backend import tf_config

_LOST = (
    tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
_RESUME = "The same commands, on all machines, go on from the last checkpoint"


class Workers(tf.distribute.MultiWorkerMirroredStrategy):
  """The processes that TF_CONFIG names, one device each.

  Attributes:
    index: int, number of this process; 0 is the chief, which writes.
    count: int, number of processes.
    watch: Watch of the current operation, or of the last one.
  """

  def __init__(self, devices, step_seconds):
    """Waits for the other processes.

    Args:
      devices: Name of this process' device, such as `GPU:0`, in a sequence; may be empty.
      step_seconds: Longest time of the start, of a step with the checkpoint after it, or of one
        arch of a probe.

    Raises:
      InputError: TF_CONFIG is invalid, or there is no such device.
      LostError: The other processes cannot be reached.
    """
    self.index, self.count = tf_config.read()
    _show_one_device([device.upper() for device in devices])
    self.watch = Watch(step_seconds)
    try:
      with self.watch, _deadly_signals():
        super().__init__()
    except tf.errors.OpError as error:
      raise _lost(error) from error


@contextlib.contextmanager
def _deadly_signals():
  """Gives Ctrl-C and SIGTERM their default action during the start, then their handlers back.

  The start holds Python's lock, so that no handler could run, and disables SIGTERM.
  """
  there = {}
  if threading.current_thread() is threading.main_thread():
    there = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
  taken = {number: handler for number, handler in there.items() if handler is not None}
  for number, handler in taken.items():
    signal.signal(number, signal.SIG_DFL if callable(handler) else handler)
  try:
    yield
  finally:
    for number, handler in taken.items():
      signal.signal(number, handler)


def _show_one_device(devices):
  """Hides the accelerators of the other processes."""
  gpus = tf.config.list_physical_devices("GPU")
  there = {gpu.name.rpartition("physical_device:")[2]: gpu for gpu in gpus}
  names = list(devices) or list(there) or ["CPU:0"]
  if len(names) > 1 or names[0] not in {**there, "CPU:0": None}:
    raise errors.InputError(
        f"`devices` must name the one device of each worker, of {['CPU:0', *there]}. "
        f"Received: {names}"
    )
  tf.config.set_visible_devices([there[names[0]]] if names[0] in there else [], "GPU")


class Watch:
  """Context that ends the process with status 1 and one line when it makes no progress.

  Nothing else ends a call into TensorFlow that hangs. The start holds Python's lock while it waits
  for the others, so no Python thread could watch: faulthandler's timer needs no lock. It writes
  many lines, to a shell that prints a single one when the first arrives.
  """

  def __init__(self, seconds):
    """Makes the context.

    Args:
      seconds: float, longest time from one `beat` to the next.
    """
    self._seconds = min(seconds, threading.TIMEOUT_MAX)
    self._timer = self._teller = None

  def __enter__(self):
    line = (f"All workers must start, and do each step, within {self._seconds:g} s. Received: "
            f"nothing in that time. {_RESUME}")
    self._timer, shell = socket.socketpair()
    # So small that the timer waits until the line is printed: if this process is the first of a
    # container, its end is also the shell's.
    self._timer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    with shell:
      self._teller = subprocess.Popen(["sh", "-c", 'read -r _ && echo "$0" >&2', line], stdin=shell)
    self.beat()

  def __exit__(self, *error):
    faulthandler.cancel_dump_traceback_later()
    self._timer.close()
    self._teller.wait()

  def beat(self):
    """Reports progress."""
    faulthandler.dump_traceback_later(self._seconds, exit=True, file=self._timer.fileno())


@contextlib.contextmanager
def together(strategy):
  """Context of the workers' joint work; reports a lost worker in one line.

  Args:
    strategy: tf.distribute.Strategy.

  Raises:
    LostError: Another worker has ended.
  """
  if not isinstance(strategy, Workers):
    yield
    return
  try:
    with strategy.watch:
      yield
  except _LOST as error:
    raise _lost(error) from error


def _lost(error):
  reason = " ".join(str(error).split())
  reason = reason.rpartition("Collective ops is aborted by: ")[2].partition(" Additional")[0]
  return errors.LostError(
      f"All workers must train together. Received: one was lost ({reason[:80]}). {_RESUME}"
  )


def agree(value):
  """Waits for the other workers, and checks that all have the same number.

  Args:
    value: int.

  Raises:
    InputError: Their numbers differ.
  """
  strategy = tf.distribute.get_strategy()
  if not isinstance(strategy, Workers):
    return
  values = strategy.gather(tf.constant([value], tf.int64), axis=0).numpy().tolist()
  if len(set(values)) > 1:
    raise errors.InputError(
        "All workers must go on from the same step: `run_dir` is one folder that they share. "
        f"Received: steps {values}"
    )


def held_scope(strategy):
  """Scope for variables that lie on each device; none for workers, which are in their scope."""
  return contextlib.nullcontext() if isinstance(strategy, Workers) else strategy.scope()


def share(strategy=None):
  """Index of this process among the workers, and their number.

  Args:
    strategy: tf.distribute.Strategy, or None for that of the scope.

  Returns:
    (index, count): ints; (0, 1) for a single process.
  """
  strategy = strategy or tf.distribute.get_strategy()
  return (strategy.index, strategy.count) if isinstance(strategy, Workers) else (0, 1)


def beat():
  """Reports to the workers' watch, if workers train, a step done or an arch of a probe scored."""
  strategy = tf.distribute.get_strategy()
  if isinstance(strategy, Workers):
    strategy.watch.beat()
