"""Kernels inside one another: that of a smaller window is the middle of that of a larger one.

They are kept as rings, so that no weight holds what only some of its choices use: the middle, and
around it what each larger window adds.
"""

import numpy as np
from keras import ops

SHARINGS = ("separate", "shared")


def rings(windows):
  """The rings of nested windows.

  Args:
    windows: Odd ints >= 1.

  Returns:
    dict, window -> number of pixels that it adds to those before, ascending.

  Example:
    nesting.rings([7, 3, 5])  # {3: 9, 5: 16, 7: 24}
  """
  found, inner = {}, 0
  for window in sorted(set(windows)):
    found[window], inner = window**2 - inner**2, window
  return found


def join(parts):
  """The kernel that rings make.

  Args:
    parts: dict, window -> float [pixels, ...], of `rings`, each in reading order.

  Returns:
    float [window, window, ...], of the largest window.
  """
  window = max(parts)
  ordered = [parts[inner] for inner in sorted(parts)]
  if len(ordered) > 1:
    flat = ops.take(ops.concatenate(ordered), _places(tuple(sorted(parts))), axis=0)
  else:
    flat = ordered[0]
  return ops.reshape(flat, (window, window, *flat.shape[1:]))


def _places(windows):
  """For each pixel of the largest window, in reading order, its place in the joined rings."""
  largest = windows[-1]
  grid, first = np.full((largest, largest), -1, np.int32), 0
  for window in windows:
    rim = (largest - window) // 2
    own = grid[rim:rim + window, rim:rim + window]  # A view.
    free = own < 0
    own[free] = np.arange(first, first + free.sum())
    first += free.sum()
  return grid.reshape(-1)
