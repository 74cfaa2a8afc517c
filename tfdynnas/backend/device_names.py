"""Names of devices: what every back end refuses of them."""

import contextlib

from tfdynnas import errors


def check(distribution, names):
  """Refuses devices that no machine has.

  Args:
    distribution: `none` or `mirrored`.
    names: Sequence of str, as the back end writes them.

  Raises:
    InputError: One is named twice, or there are several without `mirrored`.
  """
  if len(set(names)) < len(names):
    raise errors.InputError(f"`devices` must differ. Received: {names}")
  if distribution == "none" and len(names) > 1:
    raise errors.InputError(f"Several `devices` need distribution=mirrored. Received: {names}")


def check_there(names, there):
  """Refuses devices that are not among those of the machine.

  Args:
    names: Sequence of str.
    there: Sequence of str.

  Raises:
    InputError: One is not there.
  """
  missing = [name for name in names if name not in there]
  if missing:
    raise errors.InputError(f"`devices` must be among {there}. Received: {missing}")


@contextlib.contextmanager
def making_cpus(count, there):
  """Context in which CPUs are made: a back end that has started makes no more.

  Args:
    count: int, how many are wanted.
    there: Callable, () -> sequence of those that are there.

  Raises:
    InputError: They cannot be made, and are not as many.
  """
  try:
    yield
  except RuntimeError as error:
    if len(there()) < count:
      raise errors.InputError(
          f"`devices` of several CPUs must be made first. Received: {error}") from error
