"""What a killed process does, in this one: nothing is run after it."""

import contextlib
from unittest import mock


class Killed(BaseException):
  """Passes every `except Exception` on its way."""


@contextlib.contextmanager
def at_call(owner, name, number, after=True):
  """Expects that the body is killed at a call of a function.

  Args:
    owner: The module that has the function.
    name: Its name.
    number: Which of the calls, counted from 0; -1 only counts them.
    after: Whether that call is still made.

  Yields:
    list of the arguments of each call begun.
  """
  function, calls = getattr(owner, name), []

  def call_or_die(*args):
    calls.append(args)
    last = len(calls) - 1 == number
    if after or not last:
      function(*args)
    if last:
      raise Killed

  with mock.patch.object(owner, name, call_or_die):
    try:
      yield calls
    except Killed:
      return
  assert number < 0, f"{len(calls)} calls of {name}, and no number {number}"
