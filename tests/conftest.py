"""For all tests and their processes: less compilation, and a bound on memory.

Compilation takes more time than it saves here.
"""

import os
import resource
import signal

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # JAX on a CPU.

from tfdynnas.backend import current  # noqa: E402  Reads what is set above.

MOST_BYTES = 3 * 2**30  # Of one process of tools/test.sh: what is traced must be let go of.

current.shorten_first_step()
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # In the background; inherited by processes.
  signal.signal(signal.SIGINT, signal.default_int_handler)


def _peak_bytes():
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def pytest_sessionfinish(session):
  """Fails a session that has held more memory than a process of tests may."""
  if _peak_bytes() > MOST_BYTES:
    session.exitstatus = 1


def pytest_terminal_summary(terminalreporter):
  """Says how much it was."""
  terminalreporter.write_line(
      f"Peak memory: {_peak_bytes() / 2**30:.2f} GiB, at most {MOST_BYTES / 2**30:.0f} GiB"
  )
