"""The schedule of an optimizer."""

import keras


def seen_through(optimizer):
  """Unwraps an optimizer that scales the loss.

  Keras has no public name for an optimizer's schedule, so it is found by its type.

  Args:
    optimizer: keras.optimizers.Optimizer, or what `compile` takes in its place.

  Returns:
    (optimizer, schedule): the one that updates weights; its LearningRateSchedule, None if its rate
    is a number or a function.
  """
  optimizer = getattr(optimizer, "inner_optimizer", optimizer)
  kind = keras.optimizers.schedules.LearningRateSchedule
  own = getattr(optimizer, "__dict__", {}).values()
  return optimizer, next((value for value in own if isinstance(value, kind)), None)
