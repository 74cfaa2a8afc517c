"""The partition of a few-shot supernet: the choices of one decision, cut into parts.

Source: Zhao et al., few-shot neural architecture search (ICML 2021).
"""

import dataclasses
from collections.abc import Sequence

from tfdynnas import errors
from tfdynnas.spaces import space as space_lib


@dataclasses.dataclass(frozen=True)
class Parts:
  """A partition of a space; each arch is in one part.

  Attributes:
    space: Space.
    decision: int, the decision whose choices are cut.
    groups: Tuple per part of its choices, ascending ints.

  Example:
    parts = nas.spaces.make_parts(space, decision=0, text="0,1;2,3,4")
    print(parts.of(space.largest()), parts.names(1))
  """

  space: space_lib.Space
  decision: int
  groups: tuple[tuple[int, ...], ...]

  def of(self, arch: Sequence[int]) -> int:
    """int, the part of an arch."""
    choice = self.space.validate(arch)[self.decision]
    return next(part for part, group in enumerate(self.groups) if choice in group)

  def allowed(self, part: int) -> tuple[tuple[int, ...], ...]:
    """The choices of a part, a tuple for each decision."""
    whole, place = self.space.allowed, self.decision
    return (*whole[:place], self.groups[part], *whole[place + 1:])

  def names(self, part: int) -> list[str]:
    """Names of the choices of a part, list of str."""
    choices = self.space.decisions[self.decision].choices
    return [choices[choice] for choice in self.groups[part]]

  def format(self) -> str:
    """The groups as text: `0,1;2,3,4`."""
    return format_groups(self.groups)


def make_parts(space: space_lib.Space, decision: int, text: str = "") -> Parts:
  """Cuts a space into parts.

  Args:
    space: Space.
    decision: int, the decision whose choices are cut.
    text: The choices of each part, `0,1;2,3,4`; empty gives each choice its own part.

  Returns:
    Parts.

  Raises:
    InputError: There is no such decision, or a choice is not in exactly one part.

  Example:
    parts = nas.spaces.make_parts(space, decision=0)  # Each choice is a part.
    print(parts.format())  # 0;1;2;3;4
  """
  if not 0 <= decision < len(space.decisions):
    raise errors.InputError(
        f"`few_shot_decision` must be in [0, {len(space.decisions)}). Received: {decision}"
    )
  own = list(space.allowed[decision])
  groups = [[int(choice) for choice in group.split(",")] for group in text.split(";") if group]
  groups = groups or [[choice] for choice in own]
  if sorted(choice for group in groups for choice in group) != own:
    count = len(space.decisions[decision].choices)
    each = f"in [0, {count})" if len(own) == count else f"that is left, {own},"
    raise errors.InputError(
        f"`few_shot_groups` must hold each choice {each} once. Received: {text!r}"
    )
  return Parts(space, decision, tuple(tuple(sorted(group)) for group in groups))


def format_groups(groups: Sequence[Sequence[int]]) -> str:
  """Groups of choices as text.

  Example:
    print(nas.spaces.format_groups([[0, 1], [2, 3, 4]]))  # 0,1;2,3,4
  """
  return ";".join(",".join(map(str, group)) for group in groups)
