"""Ctrl-C and SIGTERM end a launcher with one line and status 128 + the signal, whatever it does."""

import contextlib
import os
import pathlib
import signal
import sys
import threading
import time

from tfdynnas.tools import console

_GRACE_SECONDS = 5.0  # After which it ends, though a library swallowed the signal or hangs.
_WORDS = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}
_state = {"received": None, "raises": False}


def watch():
  """Takes over the signals that ask a process to end, unless they are ignored."""
  reader, writer = os.pipe()
  os.set_blocking(writer, False)
  signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
  for number in _WORDS:
    if signal.getsignal(number) is not signal.SIG_IGN:
      signal.signal(number, _receive)
  threading.Thread(target=_end_late, args=[reader], daemon=True).start()


def raised():
  """Context in which a signal is raised as a KeyboardInterrupt, which cleans up."""
  return _raising(True)


def at_once():
  """Context in which a signal ends the process at once, as it does where nothing else is said.

  Imports may swallow what is raised, or crash.
  """
  return _raising(False)


@contextlib.contextmanager
def _raising(value):
  before, _state["raises"] = _state["raises"], value
  try:
    yield
  finally:
    _state["raises"] = before


def received():
  """(line, status) of the signal that has come, or None."""
  number = _state["received"]
  if number is None:
    return None
  return f"{_WORDS[number]}. The same command goes on from what is done.", 128 + number


def _receive(number, _):
  again, _state["received"] = _state["received"] is not None, signal.Signals(number)
  if again or not _state["raises"]:
    _end()
  sys.unraisablehook = lambda _: _end()  # Raised where Python would only complain, as in __del__.
  raise KeyboardInterrupt


def _end():
  line, status = received()
  console.say(f"{pathlib.Path(sys.argv[0]).name}: {line}")
  os._exit(status)


def _end_late(reader):
  number = None
  while number not in _WORDS:
    number = os.read(reader, 1)[0]
  time.sleep(_GRACE_SECONDS)
  _state["received"] = _state["received"] or signal.Signals(number)
  _end()
