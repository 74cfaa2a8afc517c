"""The allowed choices of a space: for each decision a tuple of choices, ascending ints."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfdynnas import errors

if TYPE_CHECKING:
  from tfdynnas.spaces import space as space_lib

_EVERYWHERE = "*"


def check(counts, allowed=None):
  """Checks allowed choices and sorts them.

  Args:
    counts: Sequence of ints, the number of choices of each decision.
    allowed: Sequence per decision of choices; None allows all.

  Returns:
    Tuple per decision of ascending ints.

  Raises:
    InputError: A decision has no allowed choice, or an unknown one.
  """
  if allowed is None:
    return tuple(tuple(range(count)) for count in counts)
  if len(allowed) != len(counts):
    raise errors.InputError(
        f"`allowed` must have one entry per decision. Received: {len(allowed)} for {len(counts)}"
    )
  for place, (own, count) in enumerate(zip(allowed, counts)):
    if not own or not set(own) <= set(range(count)):
      raise errors.InputError(
          f"`allowed` must name choices in [0, {count}) of decision {place}, at least one. "
          f"Received: {list(own)}"
      )
  return tuple(tuple(sorted(set(own))) for own in allowed)


def parse(space: "space_lib.Space", text: str) -> tuple[tuple[int, ...], ...]:
  """Parses the rules of `--fix` into the choices that they allow.

  Args:
    space: Space.
    text: Rules separated by commas: `DECISION=CHOICE+CHOICE` allows these choices alone,
      `DECISION!=CHOICE+CHOICE` all others. A decision is its name, its number, or `*` for each
      decision that has one of the choices; a choice is its name. Empty allows all.

  Returns:
    Tuple per decision of ascending ints.

  Raises:
    InputError: A rule names an unknown decision or choice, or a decision has no choice left.

  Example:
    allowed = nas.spaces.parse_allowed(space, "*!=avg_pool_3x3,1<-0=skip_connect")
    print(space.restrict(allowed).count)  # 4**5
  """
  left = [set(own) for own in space.allowed]
  for rule in filter(None, map(str.strip, text.split(","))):
    decision, equals, names = rule.partition("=")
    chosen, without = names.split("+"), decision.endswith("!")
    if not equals:
      raise errors.InputError(
          f"`fix` must look like DECISION=CHOICE or DECISION!=CHOICE. Received: {rule!r}"
      )
    for place in _places(space, decision.removesuffix("!"), chosen, rule):
      named = _choices(space.decisions[place], chosen)
      left[place] = left[place] - named if without else left[place] & named
      if not left[place]:
        raise errors.InputError(
            f"`fix` must leave decision `{space.decisions[place].name}` a choice. "
            f"Received: {text!r}"
        )
  return tuple(tuple(sorted(own)) for own in left)


def _places(space, decision, names, rule):
  """Decisions that a rule names, list of ints."""
  known = [one.name for one in space.decisions]
  if decision == _EVERYWHERE:
    places = [place for place, one in enumerate(space.decisions) if {*names} & {*one.choices}]
  elif decision in known:
    places = [known.index(decision)]
  elif decision.isdecimal() and int(decision[:9]) < len(known):
    places = [int(decision[:9])]
  else:
    raise errors.InputError(
        f"`fix` names a decision of `{space.name}`: {', '.join(known)}, 0 to {len(known) - 1}, or "
        f"{_EVERYWHERE}. Received: {rule!r}"
    )
  there = list(dict.fromkeys(
      name for place in places or range(len(known)) for name in space.decisions[place].choices))
  if not {*names} <= {*there}:
    raise errors.InputError(f"`fix` names choices: {', '.join(there)}. Received: {rule!r}")
  return places


def _choices(decision, names):
  return {number for number, name in enumerate(decision.choices) if name in names}
