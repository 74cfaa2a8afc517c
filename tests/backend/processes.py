"""Processes on either back end, and several that know each other by TF_CONFIG."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]


def succeed(*args, **environment):
  """What Python printed, which must end well; `environment` is added to what is here."""
  done = subprocess.run([sys.executable, *map(str, args)], env={**os.environ, **environment},
                        capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr[-3000:]
  return done.stdout


def on_jax(*args, **environment):
  """The same with Keras on JAX."""
  return succeed(*args, KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", PYTHONPATH=str(ROOT),
                 **environment)


def train_on_jax(folder, *runs):
  """Makes runs of `backend_case`; what JAX has compiled for one it finds for the next."""
  on_jax("-m", "tests.backend.backend_case", folder, *runs, **{
      "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
      "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
  })


def arrays(folder, *case):
  """What a process of `mirrored_case` left of a case: dict."""
  with np.load(folder / f"{','.join(case)}.npz") as file:
    return dict(file)


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


def workers(folders, *cases):
  """Runs cases of `mirrored_case` by two workers, each with a folder of its own."""
  addresses = free_addresses(2)
  started = [subprocess.Popen(
      [sys.executable, "-m", "tests.backend.mirrored_case", "worker", str(folder), *cases],
      env=environment(addresses, index), stderr=subprocess.PIPE, text=True,
  ) for index, folder in enumerate(folders)]
  told = [process.communicate()[1] for process in started]
  assert [process.returncode for process in started] == [0, 0], "\n".join(told)[-3000:]
