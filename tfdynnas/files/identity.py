"""What a file is of: it is refused where it is asked for as another."""

import json

from tfdynnas import errors

_MOST = 5  # Settings that a message names.


def refuse_other(rule, there, here):
  """Raises InputError unless what a file is of is what it is asked for as.

  Args:
    rule: str, what must be, with the file's name and what to do, before the full stop.
    there: dict of the file's settings, or None; JSON-able, as deep as it likes. A setting that is
      not there is None, or an empty dict.
    here: dict of those that it is read for.

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
  """The settings as one dict, by names such as `limits.params`."""
  flat = {}
  for name, value in settings.items():
    if isinstance(value, dict):
      flat.update(_flat(value, f"{prefix}{name}."))
    else:
      flat[prefix + name] = value
  return flat
