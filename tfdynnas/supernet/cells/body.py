"""The supernet's body for cell spaces: three stages of cells whose edges switch.

Source: NAS-Bench-201 supernets with a single path (Guo et al., SPOS, ECCV 2020).
"""

import functools

import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.backend import control_flow
from tfdynnas.backend import variable_rows
from tfdynnas.supernet import nesting
from tfdynnas.supernet import normalization
from tfdynnas.supernet.cells import edge
from tfdynnas.supernet.cells import network
from tfdynnas.supernet.cells import routing


class CellBody:
  """Weights and features of a cell space.

  The convolutions of a stage lie in one array per window, [cells * edges * copies, window, window,
  channels, channels]: 15 weights in all instead of 189, which makes an optimizer's update a few
  large kernels and lets the step touch the chosen rows alone. Shared ones are kept as rings.
  """

  def __init__(self, space, add, sharing="separate"):
    """Makes the weights.

    Args:
      space: spaces.CellSpace.
      add: Callable (name, shape, fan_in) -> weight.
      sharing: As for Supernet.

    Raises:
      InputError: The convolutions do not nest.
    """
    self._space, self._add = space, add
    self._routing, self._shared = routing.Routing(space), sharing == "shared"
    _check(space, self._routing, self._shared)
    self._rings = nesting.rings(self._routing.windows)
    self._cells = {}  # One traced function per `reference`.
    skeleton = space.skeleton
    channels = skeleton.stage_channels
    self.channels = channels[-1]
    self._stem = self._add_kernel("stem", 3, 3, channels[0])
    self._reduce, self._kernels = [], []
    for stage, width in enumerate(channels):
      if stage:
        before = channels[stage - 1]
        self._reduce.append((
            self._add_kernel(f"stage{stage}_reduce_a", 3, before, width),
            self._add_kernel(f"stage{stage}_reduce_b", 3, width, width),
            self._add_kernel(f"stage{stage}_shortcut", 1, before, width),
        ))
      self._kernels.append({
          window: self._add_rows(f"stage{stage}_conv{window}x{window}", window, width)
          for window in self._rings
      })

  def _add_kernel(self, name, window, inputs, outputs):
    return self._add(name, (window, window, inputs, outputs), window * window * inputs)

  def _add_rows(self, name, window, width):
    """A row for each convolution of a stage; where they are shared, of the ring of its window."""
    count = self._space.skeleton.cells * len(self._space.edges) * self._routing.copies[window]
    shape = (self._rings[window],) if self._shared else (window, window)
    fan_in = (self._routing.windows[-1] if self._shared else window) ** 2 * width
    return self._add(name, (count, *shape, width, width), fan_in)

  @property
  def owners(self):
    """dict, path of a weight whose rows belong to choices -> the list of (decision, choices)."""
    return {
        kernel.path: self._routing.owners(window, self._shared)
        for kernels in self._kernels for window, kernel in kernels.items()
    }

  def __call__(self, images, arch, reference):
    """Features before the pool: float [batch, height, width, channels].

    Args:
      images: float [batch, height, width, 3].
      arch: int32 [decisions].
      reference: int or None, as for Supernet.call.
    """
    branch = self._routing.branch(arch)
    normalize = functools.partial(normalization.by_batch, reference=reference)
    if reference not in self._cells:
      run = functools.partial(self._run_cell, reference)
      self._cells[reference] = control_flow.traced_once(run)

    def run_cell(features, cell):
      return self._cells[reference](features, branch, *cell)

    dtype = images.dtype
    features = normalize(ops.conv(images, ops.cast(self._stem, dtype), padding="same"))
    for stage, kernels in enumerate(self._kernels):
      if stage:
        reduce = [ops.cast(kernel, dtype) for kernel in self._reduce[stage - 1]]
        features = _reduce(features, normalize, *reduce)
      cells = list(zip(*[self._chosen(arch, *item, dtype) for item in kernels.items()]))
      features = control_flow.in_turn(run_cell, features, cells)
    return ops.relu(normalize(features))

  def _chosen(self, arch, window, kernel, dtype):
    """What a stage's cells use of a weight: a tuple of [window, window, c, c] for each cell.

    With one choice of this window per edge there is nothing to look up; with several, only the
    chosen rows are read, and only they get a gradient.
    """
    if self._routing.copies[window] > 1:
      kernel = variable_rows.read(kernel, ops.expand_dims(self._routing.rows(arch, window), 1))
    kernels, edges = ops.unstack(ops.cast(kernel, dtype)), len(self._space.edges)
    return [tuple(kernels[at:at + edges]) for at in range(0, len(kernels), edges)]

  def _run_cell(self, reference, features, branch, *kernels):
    """One cell: nodes in order, each the sum of its edges; traced once per stage."""
    nodes = [features] + [None] * (self._space.nodes - 1)
    last = self._space.nodes - 1
    for place, (source, target) in enumerate(self._space.edges):
      own = {window: kernel[place] for window, kernel in zip(self._routing.windows, kernels)}
      nodes[target], nodes[source] = edge.switch(
          self._routing.branches, branch[place], nodes[target], nodes[source], own, target == last,
          reference, self._kernel,
      )
    return nodes[-1]

  def _kernel(self, operation, rows):
    """The kernel of an operation, [window, window, c, c], from its edge's row of each weight."""
    if operation.kind != "conv":
      return None
    if not self._shared:
      return rows[operation.window]
    return nesting.join({
        window: row for window, row in rows.items() if window <= operation.window
    })

  def inherited(self, arch):
    """Yields (name of a layer, dict of its weights) for what a subnet has of the weights here."""
    yield "stem_conv", {"kernel": self._stem}
    for stage, parts in enumerate(self._reduce, start=1):
      for name, kernel in zip(network.reduce_names(stage), parts):
        yield name, {"kernel": kernel}
    places = {
        window: ops.convert_to_numpy(self._routing.rows(np.array(arch, np.int32), window))
        for window in self._routing.windows
    }
    for stage, kernels in enumerate(self._kernels):
      values = {window: ops.convert_to_numpy(kernel) for window, kernel in kernels.items()}
      for place in range(self._space.skeleton.cells * len(arch)):
        cell, number = divmod(place, len(arch))
        rows = {window: values[window][places[window][place]] for window in values}
        kernel = self._kernel(self._space.operations[arch[number]], rows)
        if kernel is not None:
          yield network.edge_name(stage, cell, number) + "_conv", {"kernel": kernel}


def _check(space, routed, shared):
  """Refuses to share what does not nest."""
  if shared and (len(routed.windows) < 2 or max(routed.copies.values()) > 1):
    raise errors.InputError(
        "`sharing` shared needs convolutions of different windows, each once. Received: "
        f"{', '.join(operation.name for operation in space.operations)}"
    )


def _reduce(features, normalize, first, second, shortcut):
  """Residual block of stride 2. Padded as PyTorch pads: by 1 on all sides."""
  padded = ops.pad(ops.relu(features), [[0, 0], [1, 1], [1, 1], [0, 0]])
  main = normalize(ops.conv(padded, first, strides=2, padding="valid"))
  main = normalize(ops.conv(ops.relu(main), second, padding="same"))
  return main + ops.conv(ops.average_pool(features, 2, 2), shortcut)
