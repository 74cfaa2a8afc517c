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
    index: int, which of them this is; 0 is the chief, who writes.
    count: int.
    watch: Watch of what they do now, or did last.
  """

  def __init__(self, devices, step_seconds):
    """Waits for the others.

    Args:
      devices: Name of this process' device, such as `GPU:0`, in a sequence; may be empty.
      step_seconds: How long the start, a step with the checkpoint after it, or an arch of a look
        at the supernet may take.

    Raises:
      InputError: TF_CONFIG is not as TensorFlow has it, or there is no such device.
      LostError: The others cannot be reached.
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
  """Lets Ctrl-C and SIGTERM end the process by themselves in the start, then do what they did.

  The start holds Python's lock, so that no handler could run, and has SIGTERM do nothing any more.
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
  """Hides the accelerators that are not this process'."""
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
  """Context that ends the process with status 1, and a line, when nothing goes on in it.

  A call into TensorFlow that hangs has no other end. The start holds Python's lock while it waits
  for the others, so no thread of Python could watch: faulthandler's timer needs no lock. What it
  writes is many lines, and goes to a shell that says one when the first comes.
  """

  def __init__(self, seconds):
    """Makes the context.

    Args:
      seconds: float, time from one `beat` to the next.
    """
    self._seconds = min(seconds, threading.TIMEOUT_MAX)
    self._timer = self._teller = None

  def __enter__(self):
    line = (f"All workers must start, and do each step, within {self._seconds:g} s. Received: "
            f"nothing in that time. {_RESUME}")
    self._timer, shell = socket.socketpair()
    # So small that the timer waits until the line is said: the end of this process, if it is the
    # first of a container, is that of the shell.
    self._timer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    with shell:
      self._teller = subprocess.Popen(["sh", "-c", 'read -r _ && echo "$0" >&2', line], stdin=shell)
    self.beat()

  def __exit__(self, *error):
    faulthandler.cancel_dump_traceback_later()
    self._timer.close()
    self._teller.wait()

  def beat(self):
    """Says that something went on."""
    faulthandler.dump_traceback_later(self._seconds, exit=True, file=self._timer.fileno())


@contextlib.contextmanager
def together(strategy):
  """What workers do together; says in one line that one of them is lost.

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
  """Waits for the other workers, each of which must come with the same number.

  Args:
    value: int.

  Raises:
    InputError: They come with others.
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
  """Where to make what lies on each device: the workers', which have it already, make their own."""
  return contextlib.nullcontext() if isinstance(strategy, Workers) else strategy.scope()


def share(strategy=None):
  """Which of the workers this process is.

  Args:
    strategy: tf.distribute.Strategy, or None for that of the scope.

  Returns:
    (index, count): ints; (0, 1) is alone.
  """
  strategy = strategy or tf.distribute.get_strategy()
  return (strategy.index, strategy.count) if isinstance(strategy, Workers) else (0, 1)


def beat():
  """Says, if workers train, that this one has done a step, or scored an arch of a look."""
  strategy = tf.distribute.get_strategy()
  if isinstance(strategy, Workers):
    strategy.watch.beat()
