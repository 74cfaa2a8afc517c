"""One edge of a cell: the operations, and the switch that runs the chosen one alone."""

from keras import ops

from tfdynnas.backend import control_flow
from tfdynnas.backend import convolution
from tfdynnas.supernet import normalization


def apply(operation, images, kernel=None, reference=None):
  """Applies an operation, which keeps height, width and channels.

  Args:
    operation: spaces.Operation.
    images: float [batch, height, width, channels].
    kernel: float [window, window, channels, channels], of a `conv`.
    reference: int or None, as for `normalization.by_batch`.

  Returns:
    float, of the shape of `images`.
  """
  if operation.kind == "zero":
    return ops.zeros_like(images)
  if operation.kind == "identity":
    return images
  if operation.kind == "conv":
    features = convolution.conv(ops.relu(images), kernel)
    return normalization.by_batch(features, reference)
  pool = ops.average_pool if operation.kind == "avg_pool" else ops.max_pool
  return pool(images, operation.window, 1, padding="same")


def switch(operations, index, total, images, rows, last, reference, kernel):
  """Adds the chosen operation of one edge to its target node.

  The source node's tensor also passes through the switch, to its next edge: the gradients of a node
  are summed inside the branches, and a branch that does nothing costs nothing, where it would
  otherwise make and add zeros.

  Args:
    operations: Sequence of spaces.Operation, one per branch, each with its own (kind, window).
    index: int32 scalar, which branch.
    total: float [batch, height, width, channels], the target node so far; None for its first edge.
    images: float [batch, height, width, channels], the source node.
    rows: dict, window -> what the edge has of the convolutions' weights.
    last: Python bool, whether this is the last use of the source node.
    reference: int or None, as for `normalization.by_batch`.
    kernel: Callable (operation, rows) -> float [window, window, channels, channels], or None.

  Returns:
    (total, images): the target node; the source node to use from now on, None after the last.
  """
  windows, start = tuple(rows), 0 if total is None else 1

  def branch(operation):
    def run(*operands):
      source = operands[start]
      if total is not None and operation.kind == "zero":
        result = operands[0]
      else:
        own = kernel(operation, dict(zip(windows, operands[start + 1:])))
        result = apply(operation, source, own, reference)
        result = result if total is None else operands[0] + result
      return (result,) if last else (result, source)

    return run

  operands = (() if total is None else (total,)) + (images, *rows.values())
  outputs = control_flow.switch(index, [branch(operation) for operation in operations], *operands)
  outputs = tuple(outputs) if isinstance(outputs, (tuple, list)) else (outputs,)
  return outputs if not last else (outputs[0], None)
