"""Processes of `mirrored_case`, and several that know each other by TF_CONFIG."""

import json
import os
import socket
import subprocess
import sys

import numpy as np


def succeed(*args):
  """Runs Python, which must end well."""
  done = subprocess.run([sys.executable, *args], capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr[-3000:]


def result(tmp_path, how, method, space, nudge=0.0):
  """What a process of `mirrored_case` left: dict of arrays."""
  path = tmp_path / f"{how}-{nudge}.npz"
  succeed("-m", "tests.backend.mirrored_case", how, method, space, str(nudge), str(path))
  return dict(np.load(path))


def free_addresses(count):
  """Addresses on loopback that nobody uses now."""
  sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
  addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
  for one in sockets:
    one.close()
  return addresses


def environment(addresses, index):
  """The environment of one of the workers."""
  task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
  return {**os.environ, "TF_CONFIG": json.dumps(task)}


def workers(tmp_path, method, space):
  """What each of two workers of `mirrored_case` left."""
  addresses, paths = free_addresses(2), [tmp_path / f"worker-{index}.npz" for index in range(2)]
  started = [subprocess.Popen(
      [sys.executable, "-m", "tests.backend.mirrored_case", "worker", method, space, "0",
       str(path)], env=environment(addresses, index), stderr=subprocess.PIPE, text=True,
  ) for index, path in enumerate(paths)]
  told = [process.communicate()[1] for process in started]
  assert [process.returncode for process in started] == [0, 0], "\n".join(told)[-3000:]
  return [dict(np.load(path)) for path in paths]
