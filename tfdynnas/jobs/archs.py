"""The archs that a flag names."""

import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.config import option
from tfdynnas.files import regular_file
from tfdynnas.sampling import by_complexity

_DRAWS = 20  # For each arch; of a space with enough archs nearly every draw is a new one.


def text(config):
  """The value of `config.archs`, or its default if it is empty."""
  return config.archs or (f"sample:{config.standalone}" if config.standalone else "subset")


def listed(space, config, table=None):
  """The archs to rank.

  Args:
    space: spaces.Space.
    config: config.RankConfig.
    table: analysis.Table, whose subset counts unless the config names another, or None.

  Returns:
    List of archs, each once, in the order given.

  Raises:
    InputError: There is no such list, an entry is not an arch of the space, or one is repeated.
  """
  named = text(config)
  drawn, _, count = named.partition(":")
  if drawn in DRAWN and count:
    archs = DRAWN[drawn](space, int(count), config.rank_seed)
  elif named == "all":
    archs = _all(space)
  elif named == "subset":
    archs = _subset(space, config, table)
  elif named.startswith("#"):
    archs = [space.parse(part) for part in named.split(",")]
  else:
    archs = from_file(space, named, "archs")
  seen = set()
  for arch in archs:
    if arch in seen:
      raise errors.InputError(
          f"Archs to rank are given once. Received twice: {space.format(arch)} "
          f"(#{space.index(arch)})"
      )
    seen.add(arch)
  return archs


def sampled(space, count, seed):
  """Draws different archs uniformly; a smaller count gives a prefix of the same list.

  Args:
    space: spaces.Space.
    count: int >= 1.
    seed: int in [0, 2**32).

  Returns:
    List of archs.

  Raises:
    InputError: The space has fewer archs, or too many to list.
  """
  if count > min(space.count, option.MOST_ARCHS):
    raise errors.InputError(
        f"`{space.name}` has {space.count} archs to sample from, at most {option.MOST_ARCHS:,}. "
        f"Received: {count}"
    )
  rng, found = np.random.Generator(np.random.Philox(key=seed)), {}
  while len(found) < count:
    found[space.sample(rng)] = None
  return list(found)


def stratified(space, count, seed):
  """Draws different archs spread evenly over the multiply-accumulates of a space.

  Args:
    space: spaces.Space.
    count: int >= 1; a smaller count gives a prefix of the same list.
    seed: int in [0, 2**32).

  Returns:
    List of archs.

  Raises:
    InputError: The space has too few archs.
  """
  sampler = by_complexity.Stratified(space.costs["macs"].table, seed, space.allowed)
  found = {}
  for step in range(_DRAWS * count):
    found[tuple(map(int, ops.convert_to_numpy(sampler(step))[0]))] = None
    if len(found) == count:
      return list(found)
  raise errors.InputError(
      f"`{space.name}` must have archs enough at each level of multiply-accumulates. Received: "
      f"stratified:{count}, and {len(found)} found in {_DRAWS * count:,} draws"
  )


def from_file(space, path, flag):
  """Reads a file of archs, one a line in any form that `space.parse` takes.

  Args:
    space: spaces.Space.
    path: Path of the file; empty lines are ignored.
    flag: Name of the flag, for the error.

  Returns:
    List of archs.

  Raises:
    InputError: The file cannot be read, or a line, named in the error, is not an arch.
  """
  try:
    lines = regular_file.read_text(path).splitlines()
  except (OSError, UnicodeDecodeError) as error:
    raise errors.InputError(f"`{flag}` must be a text file. Received: {path} ({error})") from error
  if len(lines) > option.MOST_ARCHS:
    raise errors.InputError(
        f"`{flag}` must hold at most {option.MOST_ARCHS:,} archs. Received: {path} of "
        f"{len(lines):,} lines"
    )
  archs = []
  for number, line in enumerate(lines, 1):
    if not line.strip():
      continue
    try:
      archs.append(space.parse(line))
    except errors.InputError as error:
      raise errors.InputError(f"{path}:{number}: {error}") from error
  if not archs:
    raise errors.InputError(f"`{flag}` must hold an arch a line. Received: {path}, empty")
  return archs


DRAWN = {"sample": sampled, "stratified": stratified}  # Archs by N, as in sample:N.


def _all(space):
  if space.count > option.MOST_ARCHS:
    raise errors.InputError(
        f"`archs=all` lists at most {option.MOST_ARCHS:,} archs. Received: `{space.name}`, which "
        f"has {space.count:,}; take archs=sample:N"
    )
  return list(space.archs())


def _subset(space, config, table):
  if config.subset:
    return from_file(space, config.subset, "subset")
  if table is None or table.subset is None:
    received = f"{table.name}, which has none" if table else "neither"
    raise errors.InputError(
        "`archs=subset` needs `table`, an .npz with `ranking_subset`, or `subset`, a file of "
        f"archs; or give archs=sample:N, or standalone=N. Received: {received}"
    )
  archs = [arch for arch in map(space.arch, table.subset) if space.allows(arch)]
  if not archs:
    raise errors.InputError(
        f"`archs=subset` needs archs that `fix` leaves. Received: {table.name}, none of whose "
        f"{len(table.subset)} is left"
    )
  return archs
