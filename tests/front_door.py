"""What is public at the front door."""

import inspect
import types

import tfdynnas as nas


def objects():
  """Yields (dotted name, object): the names of `tfdynnas`, and those of its modules."""
  for name in nas.__all__:
    found = getattr(nas, name)
    if not isinstance(found, types.ModuleType):
      yield name, found
      continue
    for key, value in vars(found).items():
      own = getattr(value, "__module__", "").startswith("tfdynnas")
      if own and not key.startswith("_"):
        yield f"{name}.{key}", value


def functions():
  """Yields (dotted name, function): functions, constructors, methods and properties."""
  for name, found in objects():
    if not inspect.isclass(found):
      yield name, found
      continue
    seen = set()  # What a class overrides.
    for kind in inspect.getmro(found):
      own = vars(kind) if kind.__module__.startswith("tfdynnas") else {}
      for key, value in {key: own[key] for key in own.keys() - seen}.items():
        seen.add(key)
        value = getattr(value, "fget", getattr(value, "__func__", value))
        named = inspect.isfunction(value) and value.__name__ == key  # Not a field's default.
        if named and (key == "__init__" or not key.startswith("_")):
          yield f"{name}.{key}", value
