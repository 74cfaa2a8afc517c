"""A space as keras-tuner's hyperparameters, narrowed by a user's own, and an arch as values."""

import re

import keras_tuner

from tfdynnas import errors


def names(space):
  """Names of the hyperparameters, one per decision: unique, of letters, digits and `_`.

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
    keras_tuner.HyperParameters: one Choice per decision, its values the names of the allowed
    choices.

  Raises:
    InputError: A decision has no choices, or two of the same name.
  """
  hyperparameters = keras_tuner.HyperParameters()
  for name, decision, own in zip(names(space), space.decisions, space.allowed):
    choices = [decision.choices[choice] for choice in own]
    if not choices or len(set(choices)) < len(choices):
      raise errors.InputError(
          f"Decision `{decision.name}` needs choices with names of their own. Received: {choices}"
      )
    hyperparameters.Choice(name, choices)
  return hyperparameters


def narrowed(space, given, tune_new_entries=True, allow_new_entries=True):
  """The space narrowed by hyperparameters, by the rules of keras-tuner.

  Args:
    space: Space.
    given: keras_tuner.HyperParameters with an entry for some decisions, a Fixed or a Choice of
      fewer values; or None.
    tune_new_entries: Whether the other decisions are searched; else each has its first choice.
    allow_new_entries: Whether there may be other decisions.

  Returns:
    Space.

  Raises:
    InputError: An entry belongs to no decision, has conditions, or a value that is no choice; or a
      decision lacks a required entry.
  """
  entries = {} if given is None else {entry.name: entry for entry in given.space}
  lacking = [name for name in names(space) if name not in entries]
  unknown = sorted(entries.keys() - {*names(space)})
  if unknown or (lacking and not allow_new_entries) or (given is None and not tune_new_entries):
    received = f"{unknown[0]}, which is none" if unknown else f"none for {lacking[0]}"
    raise errors.InputError(
        f"The hyperparameters of `{space.name}` are {', '.join(names(space))}; "
        "`allow_new_entries=False` needs all, `tune_new_entries=False` some. "
        f"Received: {received}"
    )
  left = []
  for name, decision, own in zip(names(space), space.decisions, space.allowed):
    if name in entries:
      choices = {decision.choices[choice]: choice for choice in own}
      left.append(_named(space, entries[name], choices))
    else:
      left.append(own if tune_new_entries else own[:1])
  return space.restrict(left)


def completed(space, given=None):
  """A user's hyperparameters, with an entry added for each decision that has none.

  Args:
    space: Space, as `narrowed` returns.
    given: keras_tuner.HyperParameters or None.

  Returns:
    keras_tuner.HyperParameters.
  """
  full = keras_tuner.HyperParameters() if given is None else given.copy()
  full.merge(to_hyperparameters(space), overwrite=False)
  return full


def narrow_oracle(space, hyperparameters=None, tune_new_entries=True, allow_new_entries=True,
                  **others):
  """A space narrowed by the arguments of keras_tuner.Oracle, and these with all decisions.

  Args:
    space: Space.
    hyperparameters: keras_tuner.HyperParameters or None, see `narrowed`.
    tune_new_entries: bool, whether the other decisions are searched.
    allow_new_entries: bool, whether there may be other decisions.
    **others: Further arguments of keras_tuner.Oracle.

  Returns:
    (space, arguments): Space; dict.

  Raises:
    InputError: See `narrowed`.
  """
  space = narrowed(space, hyperparameters, tune_new_entries, allow_new_entries)
  return space, {
      "hyperparameters": completed(space, hyperparameters), "tune_new_entries": tune_new_entries,
      "allow_new_entries": allow_new_entries, **others,
  }


def _named(space, entry, choices):
  """The choices that the values of an entry name."""
  values = list(entry.values)
  if entry.conditions or not {*values} <= {*choices}:
    received = "one with conditions" if entry.conditions else values
    raise errors.InputError(
        f"`{entry.name}` of the hyperparameters of `{space.name}` takes some of "
        f"{', '.join(choices)}, always. Received: {received}"
    )
  return [choices[value] for value in values]


def to_values(space, arch):
  """Values of the hyperparameters for an arch.

  Args:
    space: Space.
    arch: Sequence of ints, one per decision.

  Returns:
    dict, name of a hyperparameter -> name of its choice.

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
    values: keras_tuner.HyperParameters, or a mapping of names to names of choices. Other names are
      ignored.

  Returns:
    tuple of ints, one per decision.

  Raises:
    InputError: A name is missing, or a choice is unknown.
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
  return space.validate(arch)
