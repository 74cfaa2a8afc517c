"""How `loop.fit` runs steps on TensorFlow, and how long they wait for their data.

Without a strategy Keras' `fit` runs them. Under one they are run here: `fit` fails under
MultiWorkerMirroredStrategy (Keras 3.15), and takes batches inside its graph, where no clock reads.
"""

import time

import keras
import tensorflow as tf

from tfdynnas import errors
from tfdynnas.backend.tensorflow import workers


def runner(model, every):
  """How `loop.fit` runs steps; see `jax.loop.runner`. Its batches come from `timed`.

  Raises:
    InputError: The model was made in the scope of another strategy.
  """
  strategy = tf.distribute.get_strategy()
  if model.distribute_strategy is not strategy:
    raise errors.InputError(
        "A model must be trained in the scope that it was made in. Received: one of "
        f"{type(model.distribute_strategy).__name__} in that of {type(strategy).__name__}"
    )
  if tf.distribute.has_strategy():
    return _under(strategy, model)

  def run(batches, epoch, epochs, steps, callbacks):
    model.fit(
        batches, initial_epoch=epoch, epochs=epochs, steps_per_epoch=steps, verbose=0,
        shuffle=False, callbacks=callbacks,
    )

  return run


def _under(strategy, model):
  """A runner under a strategy, in its scope."""
  call = _shared_step(model, strategy)

  def run(batches, epoch, epochs, steps, callbacks):
    told = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs, steps=steps)
    steps_left = iter(batches)
    told.on_train_begin()
    for number in range(epoch, epochs):
      model.reset_metrics()
      told.on_epoch_begin(number)
      logs = {}
      for done, batch in zip(range(steps), steps_left):  # The log reports a lack of batches.
        told.on_train_batch_begin(done)
        logs = {name: float(value) for name, value in call(batch).items()}
        workers.beat()
        told.on_train_batch_end(done, logs)
      told.on_epoch_end(number, logs)
      if model.stop_training:
        break
    told.on_train_end()

  return run


def _shared_step(model, strategy):
  """Callable, batch -> dict: one step of all devices; the metrics are their mean."""

  @tf.function(autograph=False, reduce_retracing=True)
  def step(batch):
    names = []

    def one(batch):
      logs = model.train_step(batch)
      names[:] = logs
      return tf.stack([tf.cast(value, "float32") for value in logs.values()])

    means = strategy.reduce("mean", strategy.run(one, args=(batch,)), axis=None)
    return dict(zip(names, tf.unstack(means)))

  return step


def timed(dataset):
  """Measures how long the reader of a dataset waits for its batches.

  Args:
    dataset: tf.data.Dataset of batches; on a worker, of its shares of them.

  Returns:
    (batches, waited): batches for `runner`, each divided among the devices of the strategy in
    scope; callable, () -> seconds so far.
  """
  waited = 0.0

  def add(start):
    nonlocal waited
    waited += time.perf_counter() - start
    return waited

  within = _shared_out if tf.distribute.has_strategy() else _within
  return within(dataset, add), lambda: waited


def _shared_out(dataset, add):
  strategy = tf.distribute.get_strategy()
  if workers.share(strategy)[1] == 1:  # Workers read their own shares.
    dataset = strategy.experimental_distribute_dataset(dataset)
  batches = iter(dataset)
  while True:
    start = time.perf_counter()
    batch = next(batches, None)
    add(start)
    if batch is None:
      return
    yield batch


def _within(dataset, add):
  """A dataset that adds up the waiting time itself: Keras' `fit` reads it inside a graph."""
  def count(start, batch):
    tf.numpy_function(add, [start], tf.float64)
    return batch

  # `zip` reads its datasets in turn and without delay, if nothing is prefetched after it. Python's
  # clock, since TensorFlow refuses its own in deterministic mode.
  starts = tf.data.Dataset.counter().map(
      lambda _: tf.numpy_function(time.perf_counter, [], tf.float64)
  )
  options = tf.data.Options()
  options.experimental_optimization.inject_prefetch = False
  return tf.data.Dataset.zip(starts, dataset).map(count).with_options(options)
