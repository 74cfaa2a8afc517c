"""For all tests and their processes: less compilation, a bound on memory, and `--fast`.

Compilation takes more time than it saves here.
"""

import os
import pathlib
import re
import resource
import signal

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # JAX on a CPU.

from tfdynnas.backend import current  # noqa: E402  Reads what is set above.

TESTS = pathlib.Path(__file__).parent
MOST_BYTES = 3 * 2**30  # Of one process of tools/test.sh: what is traced must be let go of.

current.shorten_first_step()
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # In the background; inherited by processes.
  signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
  """Adds `--fast`, for which see tools/test.sh."""
  parser.addoption("--fast", action="store_true", help="leave out what BUILD calls slow")


def pytest_ignore_collect(collection_path, config):
  """Leaves out, with `--fast`, whole commands and runs, and the files that BUILD names as slow."""
  if not config.getoption("--fast") or collection_path.suffix != ".py":
    return None
  slow = re.search(r"^SLOW = \[(.*?)^\]", (TESTS / "BUILD").read_text("utf-8"), re.M | re.S)
  name = collection_path.relative_to(TESTS).as_posix()
  return f'"{name}"' in slow.group(1) or name.partition("/")[0] in ("jobs", "tools") or None


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
