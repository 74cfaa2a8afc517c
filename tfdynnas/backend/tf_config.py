"""TF_CONFIG, the environment variable by which TensorFlow's processes know each other."""

import json
import os
import re

from tfdynnas import errors

_NAME = r"[\w-]{1,63}"  # A label of a host's name.
_HOST = rf"({_NAME}(\.{_NAME})*\.?|\[[\w:.%-]+\])"  # An IPv6 address is in brackets.
_ADDRESS = re.compile(rf"{_HOST}:(?P<port>[1-9][0-9]{{0,4}})", re.ASCII)


def is_address(text):
  """Whether a text is `host:port` as sockets and gRPC take it, the port in 1..65535."""
  match = _ADDRESS.fullmatch(text)
  return match is not None and int(match["port"]) < 2**16


def read():
  """Reads which of the processes that TF_CONFIG names this one is.

  Returns:
    (index, count): of the training processes, the chief first; 0 is the one that writes.

  Raises:
    InputError: It is not set, is invalid, or names fewer than two.
  """
  text = os.environ.get("TF_CONFIG", "")
  try:
    config = json.loads(text)
    cluster, task = config["cluster"], config["task"]
    names = [(kind, number) for kind in ("chief", "worker")
             for number in range(len(cluster.get(kind, ())))]
    _check(cluster, task["index"])
    return names.index((task["type"], int(task["index"]))), len(names)
  except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
    raise errors.InputError(
        'distribution=multi_worker needs TF_CONFIG such as {"cluster": {"worker": ["host:port", '
        f'"host:port"]}}, "task": {{"type": "worker", "index": 0}}}}. Received: {text[:200]!r} '
        f"({str(error)[:100] or type(error).__name__})"
    ) from error


def _check(cluster, index):
  """Raises for what TensorFlow would hang or crash on; `read` adds the reason to its message."""
  addresses = [address for kind in cluster.values() for address in kind]
  if not all(isinstance(kind, list) and kind for kind in cluster.values()):
    raise TypeError("`cluster` must hold lists of addresses")
  if not all(map(is_address, addresses)) or len(set(addresses)) < max(len(addresses), 2):
    raise ValueError("addresses must be host:port, two or more, all different")
  if set(cluster) - {"chief", "worker"} or len(cluster.get("chief", [])) > 1:
    raise ValueError("processes must be workers and at most one chief")
  if type(index) not in (int, str) or not re.fullmatch("[0-9]+", str(index)):
    raise ValueError("`index` must be a number")
