"""Records that keep the arguments they were made with, so that a tool can make them again."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable)


def recorded(first: str | None = None, **fixed: str) -> Callable[[Function], Function]:
  """Decorates a function that returns a dataclass with a field `made_by`, and sets that field.

  Args:
    first: Name to keep the first argument under; None keeps its own.
    **fixed: Further entries of `made_by`.

  Returns:
    Decorator; `made_by` is a dict of `fixed` and the arguments that differ from their defaults.

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
  """dict, name -> value of the arguments that differ from their defaults."""
  found = {}
  for place, (name, parameter) in enumerate(signature.parameters.items()):
    if parameter.kind is parameter.VAR_KEYWORD:
      found.update(arguments.get(name, {}))
    elif name in arguments and arguments[name] != parameter.default:
      found[first if first and not place else name] = arguments[name]
  return found
