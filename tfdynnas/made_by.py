"""What a record was made by: the arguments of the function that made it, so that a run can keep
them and a tool can make it again."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable)


def recorded(first: str | None = None, **fixed: str) -> Callable[[Function], Function]:
  """Decorator of a function that makes a dataclass with a field `made_by`, which it sets.

  Args:
    first: Name that the first argument is kept under; None keeps its own.
    **fixed: What else is kept.

  Returns:
    Decorator; `made_by` is a dict of `fixed` and of the arguments that are not at their default.

  Example:
    @recorded(space="nasbench201")
    def nasbench201(channels=16, cells=5): ...

    nasbench201(cells=1).made_by  # {"space": "nasbench201", "cells": 1}
  """
  def decorate(function):
    signature = inspect.signature(function)

    @functools.wraps(function)
    def make(*args, **kwargs):
      given = _given(signature, signature.bind(*args, **kwargs).arguments, first)
      return dataclasses.replace(function(*args, **kwargs), made_by={**fixed, **given})

    return make

  return decorate


def _given(signature, arguments, first):
  """dict, name -> value of the arguments that are not at their default."""
  found = {}
  for place, (name, parameter) in enumerate(signature.parameters.items()):
    if parameter.kind is parameter.VAR_KEYWORD:
      found.update(arguments.get(name, {}))
    elif name in arguments and arguments[name] != parameter.default:
      found[first if first and not place else name] = arguments[name]
  return found
