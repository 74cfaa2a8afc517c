"""Checks of device names that all backends share."""

import contextlib

from tfdynnas import errors


def check(distribution, names):
  """Refuses devices that no machine can have.

  Args:
    distribution: `none` or `mirrored`.
    names: Sequence of str, as the backend writes them.

  Raises:
    InputError: A device is named twice, or there are several without `mirrored`.
  """
  if len(set(names)) < len(names):
    raise errors.InputError(f"`devices` must differ. Received: {names}")
  if distribution == "none" and len(names) > 1:
    raise errors.InputError(f"Several `devices` need distribution=mirrored. Received: {names}")


def check_there(names, there):
  """Refuses devices that the machine lacks.

  Args:
    names: Sequence of str.
    there: Sequence of str, the devices of the machine.

  Raises:
    InputError: A device is missing.
  """
  missing = [name for name in names if name not in there]
  if missing:
    raise errors.InputError(f"`devices` must be among {there}. Received: {missing}")


@contextlib.contextmanager
def making_cpus(count, there):
  """Context in which CPUs are made; a backend that has started cannot make more.

  Args:
    count: int, CPUs needed.
    there: Callable, () -> sequence of the CPUs that exist.

  Raises:
    InputError: There are fewer, and no more can be made.
  """
  try:
    yield
  except RuntimeError as error:
    if len(there()) < count:
      raise errors.InputError(
          f"`devices` of several CPUs must be made first. Received: {error}") from error
