"""Finds the image that cannot be read, and why: TensorFlow does not say which one it is."""

import contextlib
import re

from tfdynnas.data.images import preparation as preparation_lib


@contextlib.contextmanager
def named(check):
  """Context for reading images: its error names, in one line, the first that cannot be read.

  Images are checked only after a failure, so that reading costs nothing extra.

  Args:
    check: Callable, () -> None, which raises an InputError that names the first broken image.

  Raises:
    InputError: As `check` raises it; if it finds nothing, the original error is raised.
  """
  try:
    yield
  except kinds():
    check()
    raise


def first(contents, preparation):
  """Reads and prepares images until one fails.

  Args:
    contents: tf.data.Dataset of encoded images, scalar strings.
    preparation: preparation.Preparation with a size; None only reads them.

  Returns:
    (position of the first that fails, why), or None.
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
  """The message of a TensorFlow error in one line, without the ops and datasets it came through."""
  line = re.sub(r".*(}}|Iterator::\S+:|Name: <unknown>,) ", "", error.message.splitlines()[0])
  return line.partition(" [Op:")[0][:200]


def kinds():
  """The TensorFlow errors of a failed read; others concern memory or other processes."""
  import tensorflow as tf

  return (
      tf.errors.InvalidArgumentError, tf.errors.DataLossError, tf.errors.FailedPreconditionError,
      tf.errors.NotFoundError, tf.errors.PermissionDeniedError, tf.errors.UnknownError,
  )
