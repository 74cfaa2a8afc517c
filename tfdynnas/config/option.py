"""Fields of a config: a field's metadata holds its help text and its bounds, written once."""

import dataclasses
import math

from tfdynnas import errors
from tfdynnas.files import text as text_lib

LARGEST = 2**53  # Every whole number below it is exact as a float too.
MOST_BATCH = 2**20  # Images at a time.
MOST_ARCHS = 1_000_000  # Archs that are listed, scored or bred.


def option(
    default, text, least=None, most=None, below=None, above=None, choices=None, added=False,
    form=None, path=False
):
  """A field of a config.

  Args:
    default: Its value if none is given; others are of its type, of a float also an int.
    text: Help text.
    least, most: Inclusive bounds, or None.
    below, above: Exclusive bounds, or None.
    choices: Values that are allowed, None for all.
    added: Whether trainings are there that were begun before this field was: they did what the
      default says, see Config.identity.
    form: Callable that gives the one spelling of a value that is kept, or raises InputError; None
      keeps each as it is.
    path: Whether it names a file or a folder, unless it is empty.
  """
  rules = {"least": least, "most": most, "below": below, "above": above, "choices": choices,
           "form": form, "path": path}
  return dataclasses.field(default=default, metadata={"help": text, "added": added, **rules})


def formed(field, value):
  """A field's value as it is kept.

  Raises:
    InputError: It has no such form.
  """
  return field.metadata["form"](value) if field.metadata["form"] else value


def problem(field, value):
  """Says what is wrong with a field's value; None if nothing is."""
  try:
    value = formed(field, value)
  except errors.InputError as error:
    return str(error)
  rules, kind = field.metadata, type(field.default)
  if type(value) not in ((int, float) if kind is float else (kind,)):
    return f"`{field.name}` must be of {kind.__name__}. Received: {text_lib.shown(value)}"
  for text in (value,) if kind is str else value if kind is tuple else ():
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
  for name, sign, good in (
      ("least", ">=", lambda bound: value >= bound), ("most", "<=", lambda bound: value <= bound),
      ("above", ">", lambda bound: value > bound), ("below", "<", lambda bound: value < bound),
      ("choices", "one of", lambda allowed: value in allowed),
  ):
    if rules[name] is not None and not good(rules[name]):
      return f"`{field.name}` must be {sign} {rules[name]}. Received: {str(value)[:60]}"
  return None


class Config:
  """Base of the records: refuses values out of bounds."""

  def __post_init__(self):
    for field in dataclasses.fields(self):
      value = getattr(self, field.name)
      wrong = problem(field, value)
      if wrong:
        raise errors.InputError(wrong)
      object.__setattr__(self, field.name, formed(field, value))

  def as_dict(self):
    """The fields as a JSON-able dict."""
    return dataclasses.asdict(self)

  def identity(self):
    """The same without fields `added` later that are at their default: what a training is.

    So one that was begun before such a field was there goes on.
    """
    left_out = {f.name for f in dataclasses.fields(self)
                if f.metadata["added"] and getattr(self, f.name) == f.default}
    return {name: value for name, value in self.as_dict().items() if name not in left_out}
