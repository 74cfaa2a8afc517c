"""What launchers say on standard error: whole lines, also after progress, or to nobody."""

import contextlib
import os
import sys

_state = {"descriptor": 2, "open": False}  # Where it is said; whether the cursor is within a line.
_ERASE = "\r\x1b[K"  # A line of progress, or the ^C that a terminal shows.


def open_streams():
  """Makes the standard streams such that no line ends a job, be they closed or of few letters."""
  for descriptor in range(3):
    try:
      os.fstat(descriptor)
    except OSError:  # Else the next file that is opened would be written by whoever prints.
      os.open(os.devnull, os.O_RDWR)
  for name in ("stdout", "stderr"):
    if getattr(sys, name) is None:
      setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    getattr(sys, name).reconfigure(errors="backslashreplace")


def is_terminal():
  """Whether somebody watches."""
  return os.isatty(_state["descriptor"])


def show(line, last=True):
  """Shows a line of progress; in a terminal in place of the one before, until the last."""
  terminal = is_terminal()
  _state["open"] = terminal and not last
  _write((_ERASE if terminal else "") + line + ("" if _state["open"] else "\n"))


def say(line):
  """Says a line of its own."""
  before = "\n" if _state["open"] else _ERASE if is_terminal() else ""
  _write(f"{before}{line}\n")
  _state["open"] = False


def _write(text):
  with contextlib.suppress(OSError):  # A full disk, or a reader that has gone.
    os.write(_state["descriptor"], text.encode(sys.stderr.encoding, "backslashreplace"))


def flush():
  """Writes what was printed.

  Raises:
    OSError: It cannot be written.
  """
  try:
    sys.stdout.flush()
  except OSError as error:
    error.filename = "standard output"
    raise


@contextlib.contextmanager
def silenced():
  """Lets nobody but `say` and `show` be heard, back ends of C++ among them."""
  _state["descriptor"] = os.dup(2)
  silence(2)
  try:
    yield
  finally:
    os.dup2(_state["descriptor"], 2)
    os.close(_state["descriptor"])
    _state["descriptor"] = 2


def silence(descriptor):
  """Sends a stream to nobody."""
  with open(os.devnull, "wb") as null:
    os.dup2(null.fileno(), descriptor)
