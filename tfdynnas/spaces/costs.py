"""Further costs of a space: bytes, which follow from params, and latency, which is measured."""

import dataclasses
import hashlib
import json

from tfdynnas import errors
from tfdynnas.files import json_schema
from tfdynnas.spaces import space as space_lib

GRAIN = 2.0**-20  # Of a millisecond, about a nanosecond: multiples of it add up exactly.
_BYTES = 4  # Of a float32 weight.
_LONGEST = 1e9  # Milliseconds, 11 days.


def describe(space):
  """Describes a space, its size included, so that files can say which space they belong to.

  Args:
    space: Space.

  Returns:
    Nested dicts of JSON values.
  """
  costs, whole = {}, space.whole()
  for kind, cost in space.costs.items():
    table = hashlib.sha256(json.dumps([cost.fixed, cost.table]).encode()).hexdigest()[:8]
    costs[kind] = "{} to {}, table {}".format(*whole.bounds(kind), table)
    costs[kind] += " of live decisions" if cost.live else ""
  decisions = {decision.name: "|".join(decision.choices) for decision in space.decisions}
  left = {
      decision.name: "|".join(decision.choices[choice] for choice in own)
      for decision, own in zip(space.decisions, space.allowed) if len(own) < len(decision.choices)
  }
  described = {"name": space.name, "decisions": decisions, "costs": costs}
  return {**described, "left": left} if left else described


def with_bytes(space):
  """Adds the cost `bytes` to a space: 4 for each trainable weight, in float32.

  Running statistics and the overhead of a file format are not counted.

  Args:
    space: Space with `params`.

  Returns:
    Space of the same class.
  """
  params = space.costs["params"]
  rows = tuple(tuple(_BYTES * number for number in row) for row in params.table)
  return _with(space, "bytes", _BYTES * params.fixed, rows)


def with_latency(space, fixed, rows):
  """Adds the cost `latency`, in milliseconds, to a space: of choices that the output depends on.

  Args:
    space: Space.
    fixed: float >= 0, milliseconds that every subnet takes.
    rows: Sequence per decision of floats >= 0, the milliseconds of each choice. All are rounded to
      GRAIN, so that sums do not depend on their order.

  Returns:
    Space of the same class.

  Raises:
    InputError: The table does not have a number in [0, 1e9] for each choice.
  """
  wanted = [len(decision.choices) for decision in space.decisions]
  found = [len(row) if isinstance(row, (list, tuple)) else type(row).__name__ for row in rows]
  if found != wanted:
    raise errors.InputError(
        f"A latency table of `{space.name}` has rows of {wanted} numbers. Received: rows of {found}"
    )
  for number in (fixed, *(number for row in rows for number in row)):
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not (
        0 <= number <= _LONGEST):
      raise errors.InputError(
          f"A latency must be a number in [0, {_LONGEST:g}]. Received: {str(number)[:40]}"
      )
  return _with(space, "latency", _grained(fixed), tuple(tuple(map(_grained, row)) for row in rows),
               live=True)


def read_latency(space, path):
  """Adds the latency table that tools/measure_latency.py wrote to a space.

  Args:
    space: Space.
    path: Path of the file.

  Returns:
    Space of the same class.

  Raises:
    InputError: There is no such file, or it is no latency table, or that of another space.
  """
  table = json_schema.read(path, {"space": dict, "fixed": float, "rows": [[float]]})
  own = describe(dataclasses.replace(
      space.whole(),
      costs={kind: space.costs[kind] for kind in space_lib.COSTS if kind in space.costs}))
  for part, value in own.items():
    if table["space"].get(part) != value:
      raise errors.InputError(
          f"`latency_table` must be one of this space: {part} {value}. Received: "
          f"{table['space'].get(part)} in {path}"
      )
  try:
    return with_latency(space, table["fixed"], table["rows"])
  except errors.InputError as error:
    raise errors.InputError(f"{path}: {error}") from error


def _with(space, kind, fixed, rows, live=False):
  cost = space_lib.Cost(fixed, rows, live)
  return dataclasses.replace(space, costs={**space.costs, kind: cost})


def _grained(number):
  """The nearest multiple of GRAIN, a float."""
  return round(number / GRAIN) * GRAIN
