"""A space as keras-tuner's hyperparameters, and an arch as their values."""

import re

import keras_tuner

from tfdynnas import errors


def names(space):
  """Names of the hyperparameters, one per decision: unique, and of letters, digits and `_`.

  Args:
    space: Space.

  Returns:
    tuple of str, in the order of an arch: `decision_0_1_0` for the first decision `1<-0`.
  """
  width = len(str(len(space.decisions) - 1))
  return tuple(
      f"decision_{number:0{width}d}_{re.sub('[^0-9A-Za-z]+', '_', decision.name).strip('_')}"
      for number, decision in enumerate(space.decisions)
  )


def to_hyperparameters(space):
  """Turns a space into flat string choices, which survive JSON and keras-tuner's own protocol.

  Args:
    space: Space.

  Returns:
    keras_tuner.HyperParameters: one Choice per decision, its values the names of the choices.

  Raises:
    InputError: A decision has one choice twice, or none.
  """
  hyperparameters = keras_tuner.HyperParameters()
  for name, decision in zip(names(space), space.decisions):
    choices = list(decision.choices)
    if not choices or len(set(choices)) < len(choices):
      raise errors.InputError(
          f"Decision `{decision.name}` needs choices with names of their own. Received: {choices}"
      )
    hyperparameters.Choice(name, choices)
  return hyperparameters


def to_values(space, arch):
  """Values of the hyperparameters for an arch.

  Args:
    space: Space.
    arch: Sequence of ints, one per decision.

  Returns:
    dict of str to str: the name of the choice for each name of a hyperparameter.

  Raises:
    InputError: The arch is not of this space.
  """
  arch = space.validate(arch)
  chosen = (decision.choices[choice] for decision, choice in zip(space.decisions, arch))
  return dict(zip(names(space), chosen))


def to_arch(space, values):
  """The arch that values of the hyperparameters stand for.

  Args:
    space: Space.
    values: keras_tuner.HyperParameters, or a mapping of names to names of choices. What the space
      does not ask for is left aside.

  Returns:
    tuple of ints, one per decision.

  Raises:
    InputError: A name is missing, or a choice is not there.
  """
  values = getattr(values, "values", values) if not isinstance(values, dict) else values
  arch = []
  for name, decision in zip(names(space), space.decisions):
    if name not in values:
      raise errors.InputError(
          f"`{name}` is needed for an arch of `{space.name}`. Received: {', '.join(values)}"
      )
    if values[name] not in decision.choices:
      raise errors.InputError(
          f"`{name}` takes one of {', '.join(decision.choices)}. Received: {values[name]!r}"
      )
    arch.append(decision.choices.index(values[name]))
  return tuple(arch)
