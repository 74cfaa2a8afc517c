"""Times of the same work done in different ways, alternating, since machines are noisy."""

import time

import numpy as np


def interleave(functions, blocks, inner=3):
  """Times functions in interleaved blocks; each call waits for its result.

  Args:
    functions: dict, name -> callable that returns tensors or a structure of them.
    blocks: int >= 1; every other one runs the functions in reverse order.
    inner: int >= 1, calls in a block.

  Returns:
    dict, name -> seconds of a call, the median of `inner`, float64 [blocks].
  """
  import tensorflow as tf

  for function in functions.values():
    function(), function()
  seconds = {name: [] for name in functions}
  for block in range(blocks):
    for name in list(functions) if block % 2 else list(functions)[::-1]:
      runs = []
      for _ in range(inner):
        start = time.perf_counter()
        result = functions[name]()
        tf.nest.map_structure(lambda x: x.numpy() if hasattr(x, "numpy") else x, result)
        runs.append(time.perf_counter() - start)
      seconds[name].append(np.median(runs))
  return {name: np.array(values) for name, values in seconds.items()}


def ratio(ours, theirs):
  """Spread of paired ratios, and the ratio of the sums: large archs count for more there."""
  return f"{spread(ours / theirs)}, of all seconds {ours.sum() / theirs.sum():.3f}"


def spread(values):
  """Median and quartiles as text."""
  low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
  return f"{middle:.3f} [{low:.3f}, {high:.3f}]"
