"""Keras callbacks in a search: they see each trial as a training of one epoch."""

import contextlib
import copy

import keras

from tfdynnas import errors

# These read or change a model in training.
_OF_A_MODEL = (
    keras.callbacks.BackupAndRestore, keras.callbacks.EarlyStopping,
    keras.callbacks.LearningRateScheduler, keras.callbacks.ModelCheckpoint,
    keras.callbacks.ReduceLROnPlateau, keras.callbacks.SwapEMAWeights, keras.callbacks.TensorBoard,
)


def check(callbacks):
  """Refuses callbacks that a search cannot call, before it begins.

  Args:
    callbacks: Sequence of keras.callbacks.Callback, or None.

  Returns:
    list of the callbacks.

  Raises:
    InputError: One is no callback, needs a model in training, or cannot be copied.
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
  except Exception as error:  # The attributes of a callback may raise anything when copied.
    raise errors.InputError(f"`callbacks` must be copyable, one for each trial. Received: {error}"
                            ) from error


@contextlib.contextmanager
def listening(callbacks):
  """Calls copies of the callbacks when a trial begins and, with its results, when it ends.

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
