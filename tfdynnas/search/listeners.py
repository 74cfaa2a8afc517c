"""Keras callbacks in a search: each trial is to them a training of one epoch."""

import contextlib
import copy

import keras

from tfdynnas import errors

# What they look at or change is a model that is trained.
_OF_A_MODEL = (
    keras.callbacks.BackupAndRestore, keras.callbacks.EarlyStopping,
    keras.callbacks.LearningRateScheduler, keras.callbacks.ModelCheckpoint,
    keras.callbacks.ReduceLROnPlateau, keras.callbacks.SwapEMAWeights, keras.callbacks.TensorBoard,
)


def check(callbacks):
  """Refuses callbacks that a search cannot serve, before it begins.

  Args:
    callbacks: Sequence of keras.callbacks.Callback, or None.

  Returns:
    list of them.

  Raises:
    InputError: One is no callback, needs a model that is trained, or cannot be copied.
  """
  callbacks = list(callbacks or ())
  for callback in callbacks:
    if not isinstance(callback, keras.callbacks.Callback) or isinstance(callback, _OF_A_MODEL):
      raise errors.InputError(
          "`callbacks` must be Keras callbacks that need no model: a trial is only scored. "
          f"Received: {type(callback).__name__}"
      )
  _copied(callbacks)
  return callbacks


def _copied(callbacks):
  try:
    return copy.deepcopy(list(callbacks))
  except Exception as error:  # Whatever an attribute of a callback raises when it is copied.
    raise errors.InputError(f"`callbacks` must be copyable, one for each trial. Received: {error}"
                            ) from error


@contextlib.contextmanager
def listening(callbacks):
  """Tells copies of callbacks that a trial begins and, with its results, that it has ended.

  Args:
    callbacks: Sequence of keras.callbacks.Callback.

  Yields:
    dict for the results.
  """
  heard, results = keras.callbacks.CallbackList(_copied(callbacks)), {}
  heard.on_train_begin()
  heard.on_epoch_begin(0)
  yield results
  heard.on_epoch_end(0, dict(results))
  heard.on_train_end(dict(results))
