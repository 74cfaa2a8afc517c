"""Random numbers as a pure function of integers: the same on every backend, replica and resume.

Source: MurmurHash3_x86_32 by Austin Appleby (public domain), applied to 32-bit words.
"""

import keras
import numpy as np
from keras import ops

from tfdynnas import errors

_MASK = 0xFFFFFFFF


def uniform_uint32(seed, *counters):
  """Hashes integers to 32 well mixed bits: MurmurHash3_x86_32 of the counters as words.

  Give every use a constant of its own as first counter, so that no two uses share bits.

  Args:
    seed: Python int in [0, 2**32).
    *counters: Integers or integer arrays of any dtype that broadcast together; each counts
      modulo 2**32.

  Returns:
    Tensor, uint32, [broadcast shape of the counters].

  Raises:
    InputError: `seed` is out of range.
  """
  if not 0 <= int(seed) <= _MASK:
    raise errors.InputError(f"`seed` must be in [0, 2**32). Received: seed={seed}")
  bits = _word(int(seed))
  for counter in counters:
    word = _times(_rotate(_times(_word(counter), 0xCC9E2D51), 15), 0x1B873593)
    bits = _do("add", _times(_rotate(_do("bitwise_xor", bits, word), 13), 5), _word(0xE6546B64))
  bits = _do("bitwise_xor", bits, _word(4 * len(counters)))
  bits = _times(_fold(bits, 16), 0x85EBCA6B)
  bits = _times(_fold(bits, 13), 0xC2B2AE35)
  return _cut(ops.convert_to_tensor(_fold(bits, 16)))


def integers(bits, bound):
  """Maps 32 random bits to [0, bound): the high word of bits * bound.

  A value's probability is off by less than 2**-32, so its relative bias is below bound / 2**32.

  Args:
    bits: uint32 array of any shape, as from `uniform_uint32`.
    bound: Python int or NumPy int array that broadcasts with `bits`, in [1, 65536], so that the
      product's halves fit 32 bits: some backends have no 64-bit integers.

  Returns:
    Tensor, int32, of the shape of `bits`.

  Raises:
    InputError: `bound` is out of range.
  """
  bounds = np.asarray(bound)
  if not np.all((1 <= bounds) & (bounds <= 65536)):
    raise errors.InputError(f"`bound` must be in [1, 65536]. Received: bound={bound}")
  bits = _word(bits)
  low = _shift(_times(_do("bitwise_and", bits, _word(0xFFFF)), bounds), 16)
  return ops.cast(_shift(_do("add", _times(_shift(bits, 16), bounds), low), 16), "int32")


def thresholds(weights):
  """The thresholds that `weighted` compares bits with.

  Args:
    weights: float array [..., values], >= 0, not all of them 0.

  Returns:
    NumPy int32 [..., values - 1].
  """
  sums = np.cumsum(np.asarray(weights, np.float64), axis=-1)
  return np.rint(sums[..., :-1] / sums[..., -1:] * 2**30).astype(np.int32)


def weighted(bits, bounds):
  """Maps 32 random bits to values of given weights; a value of weight 0 is never drawn.

  A value's probability is off by at most 2**-30.

  Args:
    bits: uint32 array, as from `uniform_uint32`.
    bounds: int32 [values - 1], from `thresholds`.

  Returns:
    Tensor, int32, of the shape of `bits`.
  """
  draw = ops.cast(_shift(_word(bits), 2), "int32")
  found = ops.searchsorted(bounds, ops.reshape(draw, [-1]), side="right")
  return ops.reshape(ops.cast(found, "int32"), draw.shape)


def proportional(bits, weights):
  """Maps 32 random bits to values of weights computed in the step; weight 0 is never drawn.

  The weights are summed one after the other, so that every backend rounds alike.

  Args:
    bits: uint32 array [...], as from `uniform_uint32`.
    weights: float32 [..., values], >= 0, not all of them 0.

  Returns:
    Tensor, int32 [...].
  """
  *weights, last = ops.unstack(weights, axis=-1)
  sums = []
  for weight in weights:
    sums.append(sums[-1] + weight if sums else weight)
  total = sums[-1] + last if sums else last
  # 24 bits are exact in float32, and keep the product below the total.
  draw = ops.cast(ops.cast(_shift(_word(bits), 8), "int32"), "float32") * 2.0**-24 * total
  return sum((ops.cast(draw >= one, "int32") for one in sums), ops.zeros_like(draw, "int32"))


def picked(bits, shares):
  """Maps 32 random bits to values of given shares, however many; a share of 0 is never drawn.

  The sums are of integers: float32 resolves 2**-24, a hundredth of a share among some 10**5. A
  value's probability is off by about 2**-30.

  Args:
    bits: uint32 array, as from `uniform_uint32`.
    shares: float32 [values], >= 0, with sum 1.

  Returns:
    Tensor, int32, of the shape of `bits`.
  """
  sums = ops.cumsum(ops.cast(ops.round(shares * 2.0**30), "int32"))
  part = ops.cast(sums, "float32") / ops.cast(sums[-1], "float32")
  # The error of rounding, above or below 2**30, is spread over all of them.
  over = ops.cast(ops.round(ops.cast(sums[-1] - 2**30, "float32") * part), "int32")
  draw = ops.cast(_shift(_word(bits), 2), "int32")
  return ops.cast(ops.searchsorted(sums - over, draw, side="right"), "int32")


def _word(value):
  """`value` modulo 2**32 as uint32; a constant in NumPy, whose operations stay out of the graph."""
  if isinstance(value, (int, np.ndarray)):
    return (np.asarray(value, np.int64) & _MASK).astype(np.uint32)
  return ops.cast(value, "uint32")


def _do(name, one, other):
  """An operation that NumPy and Keras both have, on words modulo 2**32."""
  if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
    with np.errstate(over="ignore"):
      return np.asarray(getattr(np, name)(one, other))
  return getattr(ops, name)(one, other)


def _times(bits, factor):
  return _do("multiply", bits, _word(factor))


def _cut(bits):
  """The low 32 bits of a uint32, which Keras makes an int64 on PyTorch; the others are garbage."""
  return _do("bitwise_and", bits, _word(_MASK)) if keras.backend.backend() == "torch" else bits


def _shift(bits, count):
  return _do("right_shift", _cut(bits), _word(count))


def _fold(bits, count):
  return _do("bitwise_xor", bits, _shift(bits, count))


def _rotate(bits, count):
  return _do("bitwise_or", _do("left_shift", bits, _word(count)), _shift(bits, 32 - count))
