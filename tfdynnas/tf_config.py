"""TF_CONFIG, the variable by which TensorFlow's processes know each other."""

import json
import os

from tfdynnas import errors


def read():
  """Which of the processes that TF_CONFIG names this one is.

  Returns:
    (index, count): of those that train, the chief first; 0 is who writes.

  Raises:
    InputError: It is not set, not as TensorFlow has it, or names fewer than two.
  """
  text = os.environ.get("TF_CONFIG", "")
  try:
    config = json.loads(text)
    cluster, task = config["cluster"], config["task"]
    names = [(kind, number) for kind in ("chief", "worker")
             for number in range(len(cluster.get(kind, ())))]
    index, count = names.index((task["type"], int(task["index"]))), len(names)
    if count < 2 or set(cluster) - {"chief", "worker"}:
      raise ValueError("not two or more workers")
  except (ValueError, KeyError, TypeError, AttributeError) as error:
    raise errors.InputError(
        'distribution=multi_worker needs TF_CONFIG such as {"cluster": {"worker": ["host:port", '
        f'"host:port"]}}, "task": {{"type": "worker", "index": 0}}}}. Received: {text!r}'
    ) from error
  return index, count
