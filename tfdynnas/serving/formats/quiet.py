"""Silence for C++ code that writes to standard error whatever its level of logging is."""

import contextlib
import os
import sys


@contextlib.contextmanager
def quiet():
  """Drops what is written to standard error; errors are raised, and so not lost."""
  sys.stderr.flush()
  kept = os.dup(2)
  try:
    with open(os.devnull, "wb") as nowhere:
      os.dup2(nowhere.fileno(), 2)
    yield
  finally:
    os.dup2(kept, 2)
    os.close(kept)
