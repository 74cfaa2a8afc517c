"""The output of launchers on standard error: whole lines, also after a line of progress."""

import contextlib
import os
import sys

_state = {"descriptor": 2, "open": False}  # Where to write; whether a line is unfinished.
_ERASE = "\r\x1b[K"  # Erases progress, or a terminal's ^C.


def open_streams():
  """Makes printing safe: opens closed standard streams, and escapes what their encoding lacks."""
  for descriptor in range(3):
    try:
      os.fstat(descriptor)
    except OSError:  # Else the next opened file would get this number, and all that is printed.
      os.open(os.devnull, os.O_RDWR)
  for name in ("stdout", "stderr"):
    if getattr(sys, name) is None:
      setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    getattr(sys, name).reconfigure(errors="backslashreplace")


def is_terminal():
  """Whether the output goes to a terminal."""
  return os.isatty(_state["descriptor"])


def show(line, last=True):
  """Shows a line of progress; in a terminal each replaces the one before, and the last stays."""
  terminal = is_terminal()
  _state["open"] = terminal and not last
  _write((_ERASE if terminal else "") + line + ("" if _state["open"] else "\n"))


def say(line):
  """Writes a line, never within a line of progress."""
  before = "\n" if _state["open"] else _ERASE if is_terminal() else ""
  _write(f"{before}{line}\n")
  _state["open"] = False


def _write(text):
  with contextlib.suppress(OSError):  # A full disk, or a closed pipe.
    os.write(_state["descriptor"], text.encode(sys.stderr.encoding, "backslashreplace"))


def flush():
  """Flushes standard output.

  Raises:
    OSError: The output cannot be written.
  """
  try:
    sys.stdout.flush()
  except OSError as error:
    error.filename = "standard output"
    raise


@contextlib.contextmanager
def silenced():
  """Context in which only `say` and `show` reach standard error; C++ code is silenced too."""
  _state["descriptor"] = os.dup(2)
  silence(2)
  try:
    yield
  finally:
    os.dup2(_state["descriptor"], 2)
    os.close(_state["descriptor"])
    _state["descriptor"] = 2


def silence(descriptor):
  """Redirects a stream to the null device."""
  with open(os.devnull, "wb") as null:
    os.dup2(null.fileno(), descriptor)
