"""Fields of a config: a field's metadata holds its help text and its rules, written once.

None is "not given". A field may apply only if another has some value: `when` states the rule, and
the field is refused elsewhere, since a setting that is ignored misleads.
"""

import dataclasses
import math
import typing
from collections.abc import Callable

from tfdynnas import errors
from tfdynnas.files import text as text_lib

LARGEST = 2**53  # All whole numbers up to it are exact as floats.
MOST_BATCH = 2**20  # Images at a time.
MOST_ARCHS = 1_000_000  # Archs that are listed, scored or bred.


@dataclasses.dataclass(frozen=True)
class When:
  """A condition on another field.

  Attributes:
    field: Name of the other field.
    text: The rule in words, for errors.
    holds: Callable, value -> bool.
  """

  field: str
  text: str
  holds: Callable


def when(field, *values):
  """The rule that a field has one of the given values: When."""
  return When(field, f"{field}={' or '.join(map(str, values))}", lambda value: value in values)


def given(field):
  """The rule that a field is given: When."""
  return When(field, f"`{field}`", lambda value: value is not None)


def option(
    default, text, least=None, most=None, below=None, above=None, choices=None, added=False,
    form=None, path=False, unset=None, rules=()
):
  """A field of a config.

  Args:
    default: Value if none is given, or None.
    text: Help text.
    least, most: Inclusive bounds, or None.
    below, above: Exclusive bounds, or None.
    choices: Allowed values, None for all.
    added: Whether there are trainings older than this field: they used its default, see
      Config.identity.
    form: Callable that returns the canonical form of a value, or raises InputError; None keeps
      values as they are.
    path: Whether the value names a file or a folder.
    unset: Value that a run records for a field without value or default; if given, it means None.
    rules: Sequence of When, all of which must hold for the field to apply.
  """
  metadata = {
      "help": text, "least": least, "most": most, "below": below, "above": above,
      "choices": choices, "added": added, "form": form, "path": path, "unset": unset,
      "default": default, "rules": tuple(rules),
  }
  return dataclasses.field(default=None if rules else default, metadata=metadata)


def kind(field):
  """Type of a field's values other than None."""
  return (typing.get_args(field.type) or (field.type,))[0]


def formed(field, value):
  """A field's value in its canonical form.

  Raises:
    InputError: The value has no such form.
  """
  value = field.metadata["form"](value) if field.metadata["form"] else value
  unset = field.metadata["unset"]
  same = type(value) in (type(unset), int, float) and value == unset
  return None if unset is not None and same else value


def recorded(field, value):
  """A field's value as a run records it: if not given, its default or `unset`."""
  if value is not None:
    return value
  default, unset = field.metadata["default"], field.metadata["unset"]
  return unset if default is None else default


def problem(field, value):
  """The fault of a field's value as an error line, or None."""
  try:
    value = formed(field, value)
  except errors.InputError as error:
    return str(error)
  if value is None and field.default is None:
    return None
  rules, own = field.metadata, kind(field)
  if type(value) not in ((int, float) if own is float else (own,)):
    return f"`{field.name}` must be of {own.__name__}. Received: {text_lib.shown(value)}"
  for text in (value,) if own is str else value if own is tuple else ():
    wrong = text_lib.problem(text) if isinstance(text, str) else "of str"
    if wrong:
      return f"`{field.name}` must be {wrong}. Received: {text_lib.shown(value)}"
  wrong = rules["path"] and text_lib.path_problem(value)
  if wrong:
    return f"`{field.name}` must be {wrong}. Received: {text_lib.shown(value)}"
  if isinstance(value, float) and not math.isfinite(value):
    return f"`{field.name}` must be a finite number. Received: {value}"
  if isinstance(value, (int, float)) and abs(value) > LARGEST:
    return f"`{field.name}` must be a number up to 2**53. Received: {text_lib.shown(value)}"
  return _out_of_bounds(field, value)


def _out_of_bounds(field, value):
  """The bound that a field's value breaks as an error line, or None."""
  for name, sign, good in (
      ("least", ">=", lambda bound: value >= bound), ("most", "<=", lambda bound: value <= bound),
      ("above", ">", lambda bound: value > bound), ("below", "<", lambda bound: value < bound),
      ("choices", "one of", lambda allowed: value in allowed),
  ):
    bound = field.metadata[name]
    if bound is not None and not good(bound):
      shown = tuple(bound) if name == "choices" else bound
      return f"`{field.name}` must be {sign} {shown}. Received: {str(value)[:60]}"
  return None


def idle(field, values):
  """The reason why a field does not apply beside other values, as an error line, or None.

  Args:
    field: Field of a config.
    values: dict, name -> value of the known fields; rules on other fields are ignored.
  """
  rules = [rule for rule in field.metadata["rules"] if rule.field in values]
  if all(rule.holds(values[rule.field]) for rule in rules):
    return None
  received = [_said(rule.field, values[rule.field]) for rule in rules]
  return (f"`{field.name}` needs {', and '.join(rule.text for rule in rules)}. "
          f"Received: {', '.join(received)}")


def _said(name, value):
  return f"no {name}" if value is None else f"{name}={value}"


def refuse_idle(*configs):
  """Raises InputError if a given field does not apply beside the others.

  Args:
    *configs: Config, used together.
  """
  values = {name: value for config in configs for name, value in vars(config).items()}
  for config in configs:
    for field in dataclasses.fields(config):
      wrong = values[field.name] is not None and idle(field, values)
      if wrong:
        raise errors.InputError(wrong)


class Config:
  """Base of the records: refuses values out of bounds, and fields that do not apply."""

  def __post_init__(self):
    for field in dataclasses.fields(self):
      value = getattr(self, field.name)
      wrong = problem(field, value)
      if wrong:
        raise errors.InputError(wrong)
      object.__setattr__(self, field.name, formed(field, value))
    refuse_idle(self)
    for field in dataclasses.fields(self):
      if getattr(self, field.name) is None and self._judges(field):
        object.__setattr__(self, field.name, field.metadata["default"])

  def _judges(self, field):
    """Whether a field applies, judged by the fields of this record alone."""
    rules = field.metadata["rules"]
    return all(hasattr(self, rule.field) for rule in rules) and not idle(field, vars(self))

  def value(self, name):
    """A field's value, or its default if not given, whether it applies or not."""
    (field,) = (field for field in dataclasses.fields(self) if field.name == name)
    value = getattr(self, name)
    return field.metadata["default"] if value is None else value

  @classmethod
  def defaults(cls):
    """dict, field -> value that a run records if it is not given."""
    return {field.name: recorded(field, None) for field in dataclasses.fields(cls)}

  @classmethod
  def from_dict(cls, values):
    """Makes the record from a dict of `as_dict`, of this version or an earlier one.

    Fields that do not apply are left out: an older run may have recorded them.

    Args:
      values: dict; missing fields are at their default.

    Raises:
      InputError: A value is out of bounds.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}
    full = {**cls.defaults(), **values}
    for name, value in full.items():
      wrong = problem(fields[name], value)
      if wrong:
        raise errors.InputError(wrong)
      full[name] = formed(fields[name], value)
    return cls(**{name: full[name] for name in values if not idle(fields[name], full)})

  def as_dict(self):
    """The fields as a run records them: JSON-able dict."""
    return {field.name: recorded(field, getattr(self, field.name))
            for field in dataclasses.fields(self)}

  def identity(self):
    """The fields that identify a training: `as_dict` without `added` ones at their default.

    So a training older than such a field can be resumed.
    """
    left_out = {f.name for f in dataclasses.fields(self)
                if f.metadata["added"] and getattr(self, f.name) == f.default}
    return {name: value for name, value in self.as_dict().items() if name not in left_out}
