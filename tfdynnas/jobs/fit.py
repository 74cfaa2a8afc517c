"""The first job for an existing supernet: `Supernet.fit` with a run directory."""

import contextlib

import keras
import numpy as np
from keras import ops

from tfdynnas import data as data_lib
from tfdynnas import errors
from tfdynnas.backend import current
from tfdynnas.jobs import asked
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import supernet as supernet_job
from tfdynnas.training import loop

_BATCH = 32  # Keras' default.
_TIMINGS = ("epoch", "step", "steps_per_second", "data_wait")  # In a row, not in a History.


def in_run(supernet, data, run_dir, batch_size=None, epochs=1, verbose="auto", callbacks=None,
           validation_data=None, **others):
  """Trains a compiled supernet in a run directory, or resumes from its last checkpoint.

  Args:
    supernet: supernet.Supernet, compiled with a method.
    data: data.Data that a tool can load again.
    run_dir: Folder of the run.
    batch_size: int, of all devices together; None: Keras' default.
    epochs: int >= 1, of the whole training.
    verbose, callbacks, validation_data: Arguments of Keras' `fit`.
    **others: Other arguments of Keras' `fit`; all are refused.

  Returns:
    keras.callbacks.History of all epochs of the run.

  Raises:
    InputError: The directory is of another run or in use, or an argument cannot be recorded.
    DivergedError: The loss is no longer a number.
  """
  _check(supernet, data, others)
  data_config, space_config = asked.data_config(data), asked.space_config(supernet.space, data)
  config = asked.supernet_config(supernet, epochs, batch_size or _BATCH)
  run = run_directory.RunDir(run_dir, create=True)
  with contextlib.closing(run), current.scope_of(supernet):
    supernet_job.check_batch(config, current.replicas())
    feed = supernet_job.make_feed(data, config)
    with _bound(supernet, feed, config), feed.reading():
      _check_recorded(run, supernet, config, feed)
      rows = supernet_job.train(
          run, supernet, data, feed,
          supernet_job.describe(
              data_config, data, space_config, config, current.replicas(), supernet.space),
          asked.flags(data_config, space_config, config),
          progress=_Bar(verbose) if verbose else loop.silent, callbacks=callbacks or (),
          validation_data=validation_data,
      )
  return _history(supernet, rows, epochs)


def _check(supernet, data, others):
  if others:
    name, value = min(others.items())
    raise errors.InputError(f"`{name}` must be left out with `run_dir`. Received: {value!r:.60}")
  if not isinstance(data, data_lib.Data):
    raise errors.InputError(
        "`run_dir` needs images of nas.data, which can be loaded again. "
        f"Received: {type(data).__name__}"
    )
  if supernet.method is None:
    raise errors.InputError("`fit` needs compile(..., method=...). Received: method=None")
  if supernet.method.prepare is not None:
    raise errors.InputError(
        "`run_dir` cannot record the method's `prepare`. Received: one of your own")


@contextlib.contextmanager
def _bound(supernet, feed, config):
  """Context in which a supernet is built and bound, and its steps draw the batches of the feed."""
  method = supernet.method
  method.bind_fit(
      supernet.optimizer, 0, feed.steps(config.epochs), config.epochs, feed.held_images)
  loop.build(supernet, supernet.space.skeleton.classes)
  method.prepare = feed.prepare
  supernet.train_function = None  # One traced before knows neither.
  try:
    yield
  finally:
    method.prepare = supernet.train_function = None


def _check_recorded(run, supernet, config, feed):
  """Refuses a supernet that the run's config would not make, or one with other initial weights."""
  made = asked.check_supernet(supernet, config, feed, supernet_job.counted(config, feed))
  if (run.path / "supernet" / "checkpoint.npz").exists():
    return  # The checkpoint's weights count.
  done = int(ops.convert_to_numpy(supernet.optimizer.iterations))
  same = all(np.array_equal(*map(ops.convert_to_numpy, pair)) for pair in zip(
      supernet.trainable_variables, made.trainable_variables))
  if done or not same:
    raise errors.InputError(
        "`run_dir` begins with the initial weights of the seed. Received: "
        + (f"a supernet after {done} steps" if done else "others"))


def _history(supernet, rows, epochs):
  """The History that Keras' `fit` returns, from the rows of a log."""
  history = keras.callbacks.History()
  history.set_model(supernet)
  history.set_params({"epochs": epochs})
  history.on_train_begin()
  for row in rows:
    values = {name: value for name, value in row.items() if name not in _TIMINGS}
    history.on_epoch_end(row["epoch"] - 1, values)
  return history


class _Bar:
  """Keras' progress bar over the steps of a training."""

  def __init__(self, verbose):
    self._verbose, self._bar = 1 if verbose == "auto" else verbose, None

  def __call__(self, step, steps, **logs):
    if self._bar is None:
      self._bar = keras.utils.Progbar(steps, verbose=self._verbose, stateful_metrics=list(logs))
    self._bar.update(step, list(logs.items()))
