"""What tools end with in one line: input that cannot be used, a loss that is none, a lost peer."""


class InputError(ValueError):
  """Raised for unusable input, with one line: the rule, then what was received.

  Tools print the line and exit with status 2; a library user catches a ValueError.
  """


class DivergedError(ArithmeticError):
  """Raised when a training's loss is no longer a number; the line names the step."""


class LostError(ConnectionError):
  """Raised when another process of the same job is silent for longer than the stated time."""


def refuse_other(rule, there, here):
  """Raises InputError unless what a file is of is what it is asked for as.

  Args:
    rule: str, what must be, with the file's name and what to do, before the full stop.
    there: dict of the file's settings.
    here: dict of those that it is read for.
  """
  names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
  if names:
    parts = [f"{name}={there.get(name)!r} there, {here.get(name)!r} here" for name in names]
    raise InputError(f"{rule}. Received: {'; '.join(parts)}")
