"""Ctrl-C and SIGTERM end a launcher at any time with one line and status 128 + the signal."""

import contextlib
import os
import pathlib
import signal
import sys
import threading
import time

from tfdynnas.tools import console

_GRACE_SECONDS = 5.0  # Then it ends, even if a library swallows the signal or hangs.
_WORDS = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}
_state = {"received": None, "raises": False}


def watch():
  """Handles the signals that ask a process to end, unless they are ignored."""
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
  """Context in which a signal ends the process at once, the default.

  Imports may swallow an exception, or crash.
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
  sys.unraisablehook = lambda _: _end()  # For an interrupt that Python only reports, as in __del__.
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
