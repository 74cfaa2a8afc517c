"""The role of this process in a distributed search: the chief proposes, the workers score."""

import os
import socket
import time

from tfdynnas import errors
from tfdynnas.backend import tf_config

VARIABLES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")
LOST_SECONDS = 120.0
START_SECONDS = 600.0
_PAUSE_SECONDS = 0.2


def role():
  """The role of this process, from keras-tuner's environment variables.

  Returns:
    `chief` if the id contains that word, `worker` with any other id, `alone` without variables.

  Raises:
    InputError: Only some of them are set, or host and port are no address.
  """
  given = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
  if not given:
    return "alone"
  if len(given) < len(VARIABLES) or not tf_config.is_address(
      f"{given[VARIABLES[1]]}:{given[VARIABLES[2]]}"):
    received = ", ".join(f"{name}={value}" for name, value in given.items())
    raise errors.InputError(
        f"A search by several needs {', '.join(VARIABLES)}, the last two a host and a port in "
        f"1..65535. Received: {received}"
    )
  return "chief" if "chief" in given[VARIABLES[0]] else "worker"


def address():
  """The (host, port) of the chief: str, int."""
  return os.environ[VARIABLES[1]], int(os.environ[VARIABLES[2]])


def refuse_used_address():
  """Refuses the address of another chief: gRPC would let the two share it.

  Raises:
    InputError: It is in use, or belongs to another machine.
  """
  try:
    socket.create_server(address()).close()
  except OSError as error:
    raise unserved(error.strerror or error) from error


def unserved(reason):
  """The error of a chief that cannot serve at its address."""
  return errors.InputError(
      f"The chief's address must be free, and of its machine. Received: {_shown()} ({reason})"
  )


def wait_for_chief(seconds, has_ended):
  """Waits until the chief listens: gRPC itself retries at growing intervals.

  Args:
    seconds: float, the longest wait.
    has_ended: Callable, whether the search has ended and no chief will start.

  Returns:
    bool, whether there is a chief: False if the search has ended.

  Raises:
    LostError: No chief listens within this time.
  """
  end = time.monotonic() + seconds
  while True:
    try:
      socket.create_connection(address(), timeout=max(end - time.monotonic(), 1)).close()
      return True
    except OSError as error:
      if has_ended():
        return False
      if time.monotonic() > end:
        raise lost_chief(seconds, error.strerror or error) from error
      time.sleep(_PAUSE_SECONDS)


def lost_chief(seconds, received):
  """The error of a worker whose chief is silent."""
  return errors.LostError(
      f"The chief at {_shown()} must answer within {seconds:g} s. Received: {received}. The same "
      "commands go on with the search"
  )


def lost_workers(seconds):
  """The error of a chief whose workers are silent."""
  return errors.LostError(
      f"A worker must ask the chief at {_shown()} within {seconds:g} s. Received: none did. The "
      "same commands go on with the search"
  )


def other_chief(folder):
  """The error of a worker that reached the chief of another folder."""
  return errors.InputError(
      f"The chief at {_shown()} must work in {folder}, which all share. Received: another's chief"
  )


def _shown():
  return ":".join(map(str, address()))
