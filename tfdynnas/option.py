"""Fields of a config: a field's metadata holds its help text and its bounds, written once."""

import dataclasses
import math

from tfdynnas import errors

LARGEST = 2**53  # Every whole number below it is exact as a float too.


def option(default, text, least=None, most=None, below=None, above=None, choices=None):
  """A field of a config.

  Args:
    default: Its value if none is given; others are of its type, of a float also an int.
    text: Help text.
    least, most: Inclusive bounds, or None.
    below, above: Exclusive bounds, or None.
    choices: Values that are allowed, None for all.
  """
  rules = {"least": least, "most": most, "below": below, "above": above, "choices": choices}
  return dataclasses.field(default=default, metadata={"help": text, **rules})


def problem(field, value):
  """Says what is wrong with a field's value, None if nothing is."""
  rules, kind = field.metadata, type(field.default)
  if type(value) not in ((int, float) if kind is float else (kind,)):
    return f"`{field.name}` must be of {kind.__name__}. Received: {value!r:.60}"
  if isinstance(value, float) and not math.isfinite(value):
    return f"`{field.name}` must be a finite number. Received: {value}"
  if isinstance(value, (int, float)) and abs(value) > LARGEST:
    return f"`{field.name}` must be a number up to 2**53. Received: {str(value)[:40]}"
  for name, sign, good in (
      ("least", ">=", lambda bound: value >= bound), ("most", "<=", lambda bound: value <= bound),
      ("above", ">", lambda bound: value > bound), ("below", "<", lambda bound: value < bound),
      ("choices", "one of", lambda allowed: value in allowed),
  ):
    if rules[name] is not None and not good(rules[name]):
      return f"`{field.name}` must be {sign} {rules[name]}. Received: {value}"
  return None


class Config:
  """Base of the records: refuses values out of bounds."""

  def __post_init__(self):
    for field in dataclasses.fields(self):
      wrong = problem(field, getattr(self, field.name))
      if wrong:
        raise errors.InputError(wrong)

  def as_dict(self):
    """The fields as a JSON-able dict."""
    return dataclasses.asdict(self)
