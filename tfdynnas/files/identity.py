"""The settings that a file was made with: a file of other settings is refused."""

import json

from tfdynnas import errors

_MOST = 5  # Settings that a message names.


def refuse_other(rule, there, here):
  """Raises InputError unless a file's settings are those that the reader expects.

  Args:
    rule: str, the rule as a sentence without its full stop: the file's name, and what to do.
    there: JSON-able dict of the file's settings, nested or not, or None. A missing setting equals
      None and an empty dict.
    here: dict of the expected settings.

  Raises:
    InputError: They differ; the message names the first settings that do, with both values.
  """
  there, here = (_flat(json.loads(json.dumps(settings or {}))) for settings in (there, here))
  names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
  if names:
    parts = [f"{name}={there.get(name)!r} there, {here.get(name)!r} here" for name in names[:_MOST]]
    more = [f"{len(names) - _MOST} more"] if len(names) > _MOST else []
    raise errors.InputError(f"{rule}. Received: {'; '.join([*parts, *more])}")


def _flat(settings, prefix=""):
  """The settings as one flat dict, with names such as `limits.params`."""
  flat = {}
  for name, value in settings.items():
    if isinstance(value, dict):
      flat.update(_flat(value, f"{prefix}{name}."))
    else:
      flat[prefix + name] = value
  return flat
