"""Several training steps in one call of the device."""

import functools

import jax
import keras
import numpy as np
from jax import numpy as jnp

CHUNK = 50  # Most steps of one call: so many positions of images go in, so many logs come out.


def runner(model, every):
  """How `loop.fit` runs steps: many in one call, with the callbacks of each after it.

  Args:
    model: supernet.Supernet, compiled and built with its optimizer and metrics.
    every: int; a call ends at each multiple of so many steps, so that callbacks save the state of
      exactly that step.

  Returns:
    Callable (held_steps, epoch, epochs, steps, callbacks): runs the steps of a
    data.feeds.HeldSteps, `steps` in each epoch of [epoch, epochs).
  """
  call = _compiled_steps(model)

  def run(held_steps, epoch, epochs, steps, callbacks):
    told = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs, steps=steps)
    told.on_train_begin()
    for number in range(epoch, epochs):
      model.reset_metrics()
      told.on_epoch_begin(number)
      done, first = 0, (number - epoch) * steps
      while done < steps:
        until = every - int(model.optimizer.iterations) % every
        count = min(CHUNK, steps - done, until)
        for logs in call(held_steps, first + done, count):
          told.on_train_batch_begin(done)
          told.on_train_batch_end(done, logs)
          done += 1
      told.on_epoch_end(number, logs)
      if model.stop_training:
        break
    told.on_train_end()

  return run


def carried(model):
  """The variables that a step changes, in the order of Keras' trainer."""
  return (
      model.trainable_variables, model.non_trainable_variables, model.optimizer.variables,
      model.metrics_variables,
  )


def _compiled_steps(model):
  """Callable (held_steps, first, count) -> list of dicts: runs steps and gives the logs of each."""
  names = list(model.get_metrics_result())

  @functools.partial(jax.jit, donate_argnums=0)
  def pure(state, held, index, count):
    def one(place, carry):
      logs, new = model.train_step(carry[0], {"held": held, "index": index[place]})
      return new, carry[1].at[place].set(jnp.stack([logs[name] for name in names]))

    return jax.lax.fori_loop(0, count, one, (state, jnp.zeros([CHUNK, len(names)])))

  def call(held_steps, first, count):
    # One shape for every count, so that it is compiled once.
    index = np.resize(held_steps.index[first:first + count], [CHUNK, held_steps.index.shape[1]])
    variables = carried(model)
    state = tuple([variable.value for variable in kind] for kind in variables)
    state, logs = pure(state, held_steps.held, index, count)
    for kind, values in zip(variables, state):
      for variable, value in zip(kind, values):
        variable.assign(value)
    return [dict(zip(names, map(float, row))) for row in np.asarray(logs)[:count]]

  return call
