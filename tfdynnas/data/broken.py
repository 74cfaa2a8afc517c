"""Which image cannot be read, and why: TensorFlow says that one cannot, and not which."""

import contextlib
import re

from tfdynnas.data.images import preparation as preparation_lib


@contextlib.contextmanager
def named(check):
  """Context in which images are read, so that one line names the first that cannot be.

  They are looked through after a failure alone: until then no image costs more for it.

  Args:
    check: Callable, () -> None, which raises an InputError of the first that cannot be read.

  Raises:
    InputError: As `check` does; where it finds nothing, what was raised within stays.
  """
  try:
    yield
  except kinds():
    check()
    raise


def first(contents, preparation):
  """Reads and prepares images until one cannot be.

  Args:
    contents: tf.data.Dataset of encoded images, scalar strings.
    preparation: preparation.Preparation with a size; None only reads them.

  Returns:
    (position of the first that cannot be read, why), or None.
  """
  import tensorflow as tf

  if preparation is not None:
    contents = contents.map(
        lambda content: preparation_lib.pixels(content, preparation), tf.data.AUTOTUNE
    )
  whole = 0
  try:
    for _ in contents:
      whole += 1
  except kinds() as error:
    return whole, reason(error)
  return None


def reason(error):
  """What a TensorFlow error says, in one line, without the ops and data sets that it went by."""
  line = re.sub(r".*(}}|Iterator::\S+:) ", "", error.message.splitlines()[0])
  return line.partition(" [Op:")[0][:200]


def kinds():
  """The errors of TensorFlow that reading gives; others are of memory, or of other processes."""
  import tensorflow as tf

  return (
      tf.errors.InvalidArgumentError, tf.errors.DataLossError, tf.errors.FailedPreconditionError,
      tf.errors.NotFoundError, tf.errors.PermissionDeniedError, tf.errors.UnknownError,
  )
