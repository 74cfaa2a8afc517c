"""From an arch to what runs: the branch of each edge, the rows of the kernels, what is live."""

import numpy as np
from keras import ops


class Routing:
  """Constant tables of a cell space, and the look-ups in them that a step makes.

  Equal operations share a branch of the switch: with 8 copies of each of 5 operations a switch has
  5 branches, not 40. Their kernels lie in one array, a row each.

  Attributes:
    branches: One spaces.Operation per branch.
    windows: Windows of the convolutions, ascending.
    copies: dict, window -> how many choices of an edge have that convolution.
  """

  def __init__(self, space):
    self._space = space
    alike = [(operation.kind, operation.window) for operation in space.operations]
    self.branches = [space.operations[alike.index(kind)] for kind in dict.fromkeys(alike)]
    kinds = list(dict.fromkeys(alike))
    self._branch = np.array([kinds.index(kind) for kind in alike], np.int32)
    self._on = np.array([operation.kind != "zero" for operation in space.operations])
    zeros = [i for i, operation in enumerate(self.branches) if operation.kind == "zero"]
    self._zero = zeros[0] if zeros else None
    convs = [o.window if o.kind == "conv" else 0 for o in space.operations]
    self.windows = tuple(sorted(set(convs) - {0}))
    self.copies = {window: convs.count(window) for window in self.windows}
    # Number of a choice's kernel among those of its window; 0 and unused for other choices.
    self._copy = {
        window: np.array([convs[:i].count(window) * (w == window) for i, w in enumerate(convs)])
        for window in self.windows
    }

  def branch(self, arch):
    """Branch of each edge, int32 [edges]; an edge that is not live gets the one that does nothing.

    An edge is not live if its source has no input or its target is not read: logits and gradients
    are the same without it. An arch of NAS-Bench-201 has 0.72 such connections on average.
    """
    branch = ops.take(ops.convert_to_tensor(self._branch), arch)
    if self._zero is None:
      return ops.unstack(branch)
    used = ops.unstack(ops.take(ops.convert_to_tensor(self._on), arch))
    edges, nodes = self._space.edges, range(self._space.nodes)
    fed = [ops.convert_to_tensor(node == 0) for node in nodes]
    needed = [ops.convert_to_tensor(node == self._space.nodes - 1) for node in nodes]
    for on, (source, target) in zip(used, edges):
      fed[target] = ops.logical_or(fed[target], ops.logical_and(on, fed[source]))
    for on, (source, target) in reversed(list(zip(used, edges))):
      needed[source] = ops.logical_or(needed[source], ops.logical_and(on, needed[target]))
    live = [ops.logical_and(fed[source], needed[target]) for source, target in edges]
    return [ops.where(on, index, self._zero) for on, index in zip(live, ops.unstack(branch))]

  def rows(self, arch, window):
    """Rows of a stage's kernels that the cells use, int32 [cells * edges].

    Args:
      arch: int32 [edges].
      window: One of `windows`.
    """
    copies, edges = self.copies[window], len(self._space.edges)
    first = np.arange(self._space.skeleton.cells * edges, dtype=np.int32) * copies
    copy = ops.take(ops.convert_to_tensor(self._copy[window].astype(np.int32)), arch)
    return ops.convert_to_tensor(first) + ops.tile(copy, [self._space.skeleton.cells])

  def owners(self, window, shared):
    """What each row of a stage's kernels belongs to.

    Args:
      window: One of `windows`.
      shared: Whether larger windows have the row too.

    Returns:
      List of (decision, tuple of its choices).
    """
    convs = {i: o.window for i, o in enumerate(self._space.operations) if o.kind == "conv"}
    if shared:
      groups = [tuple(i for i, own in convs.items() if own >= window)]
    else:
      groups = [(i,) for i, own in convs.items() if own == window]
    edges = range(len(self._space.edges))
    return [(edge, group) for edge in edges for group in groups] * self._space.skeleton.cells
