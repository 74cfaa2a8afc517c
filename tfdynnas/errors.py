"""The one exception that says: what the user gave cannot be used."""


class InputError(ValueError):
  """Raised for unusable input, with one line: the rule, then what was received.

  Tools print the line and exit with status 2; a library user catches a ValueError.
  """


class DivergedError(ArithmeticError):
  """Raised when a training's loss is no longer a number; the line names the step."""


class LostError(ConnectionError):
  """Raised when another process of the same job is silent for longer than the stated time."""
