"""Launchers as processes forked from one that has imported TensorFlow: they start 6 s sooner.

They have arguments, streams, statuses and signals of their own. What a launcher's start and its
imports do is tested where it runs alone.
"""

import multiprocessing
import os
import pathlib
import resource
import runpy
import signal
import sys
import tempfile
import time

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.tools.imported"])


class Process:
  """A launcher that runs, in the manner of subprocess.Popen.

  Args:
    arguments: List of str: the path of the launcher, then its flags.
    cwd: The folder in which it runs; as here if None.
    env: Its environment; as here if None.
    most_bytes: The size that none of its files may exceed, as on a full disk; None: any.
  """

  def __init__(self, arguments, cwd=None, env=None, most_bytes=None):
    self.args = arguments
    self._folder = tempfile.TemporaryDirectory()
    self._streams = [pathlib.Path(self._folder.name) / name for name in ("stdout", "stderr")]
    for path in self._streams:
      path.touch()
    self._process = _processes.Process(daemon=True, target=_run, args=(
        arguments, self._streams, cwd or os.getcwd(), dict(env or os.environ), most_bytes))
    self._process.start()

  @property
  def returncode(self):
    """Its status, minus the signal that killed it, or None while it runs."""
    return self._process.exitcode

  def poll(self):
    """As `returncode`."""
    return self.returncode

  def wait(self, timeout=None):
    """Its status, once it has ended, which it must within so many seconds."""
    self._process.join(timeout)
    assert self.poll() is not None, f"has not ended within {timeout} s"
    return self.returncode

  def communicate(self, timeout=None):
    """What it printed on standard output and standard error, once it has ended."""
    self.wait(timeout)
    return tuple(path.read_text() for path in self._streams)

  def printed(self):
    """What it has printed on standard output so far."""
    return self._streams[0].read_text()

  def wait_for_line(self):
    """Waits until it has printed a line on standard error, or has ended."""
    while "\n" not in self._streams[1].read_text() and self.poll() is None:
      time.sleep(0.01)

  def send_signal(self, number):
    """Sends it a signal, while it runs."""
    if self.poll() is None:
      os.kill(self._process.pid, number)

  def kill(self):
    """Ends it at once."""
    self.send_signal(signal.SIGKILL)


def _run(arguments, streams, folder, environment, most_bytes):
  for descriptor, path in enumerate(streams, 1):
    opened = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(opened, descriptor)
    os.close(opened)
  os.chdir(folder)
  os.environ.clear()
  os.environ.update(environment)
  if most_bytes is not None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
  sys.argv[:] = arguments
  sys.path[0] = os.path.dirname(arguments[0])
  runpy.run_path(arguments[0], run_name="__main__")
