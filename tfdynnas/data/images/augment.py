"""Random flip, crop and colours, and normalisation, on the device in `keras.ops`, without a loop.

Source: the NAS-Bench-201 protocol: horizontal flip with probability 1/2, crop after zero-padding
raw pixels, then normalise, so that the border becomes -mean / std.
"""

import dataclasses

import numpy as np
from keras import ops

from tfdynnas import hashing
from tfdynnas.data.images import colours

_DRAWS = 0x61756731  # First counter of this use of the hash, "aug1".


@dataclasses.dataclass(frozen=True)
class Augmentation:
  """The random changes to a training image.

  Attributes:
    pad: int >= 0, width of the zeros around the image before the crop, in pixels; 0: no crop.
    flip: bool, whether to flip it horizontally with probability 1/2.
    jitter: float in [0, 1], greatest change of each of brightness, contrast and saturation, as a
      share.
    hue: float in [0, 0.5], greatest turn of the hue, as a share of the circle.
  """

  pad: int = 0
  flip: bool = False
  jitter: float = 0.0
  hue: float = 0.0


def pack(images):
  """Packs each pixel into one number, r + 256 g + 65536 b, exact in float32.

  For a held set on an accelerator: TensorFlow has no GPU kernel that gathers uint8, and keeps int32
  on the host, so that with either every step would transfer the whole set.

  Args:
    images: uint8 array [n, height, width, 3].

  Returns:
    float32 array [n, height, width].
  """
  words = images[..., 0].astype(np.float32)
  words += images[..., 1] * np.float32(256)
  words += images[..., 2] * np.float32(65536)
  return words


def draws(seed, step, index, pad):
  """Flip and crop of each image, as a function of (seed, step, index) alone.

  They depend neither on the division of a batch among replicas nor on the backend.

  Args:
    seed: Python int in [0, 2**32).
    step: Integer scalar, the global step.
    index: int32 [batch], the identity of each image.
    pad: Python int >= 0, pixels of padding on each side.

  Returns:
    (flip, dy, dx): bool [batch]; int32 [batch] each in [0, 2 pad], the corner of the crop in the
    padded image.
  """
  flip, dy, dx = (hashing.uniform_uint32(seed, _DRAWS, step, index, use) for use in range(3))
  return (
      hashing.integers(flip, 2) == 1,
      hashing.integers(dy, 2 * pad + 1),
      hashing.integers(dx, 2 * pad + 1),
  )


def train_images(images, index, step, seed, augmentation, mean, std, sample_ids=None):
  """Picks, flips and crops a batch in one gather of pixels, changes its colours and normalises it.

  64 images of 32x32 take 3.4 ms on two busy cores (`pack`ed: 4.9 ms), of which the draws take 0.3
  and normalising alone 1.5.

  Args:
    images: uint8 [n, height, width, c], or `pack`ed float32 [n, height, width]: the whole held set,
      or the batch of a stream, with `index` 0, 1, 2...
    index: int32 [batch], positions in `images`.
    step: Integer scalar, the global step.
    seed: Python int in [0, 2**32).
    augmentation: Augmentation.
    mean: float [c], in pixel units.
    std: float [c], in pixel units.
    sample_ids: int32 [batch], the identities that the draws depend on, such as the `index` of a
      stream; None: `index`.

  Returns:
    float32 [batch, height, width, c].
  """
  ids = index if sample_ids is None else sample_ids
  how = augmentation
  values = _cut(images, index, draws(seed, step, ids, how.pad), how.pad, how.flip)
  if how.jitter or how.hue:
    changes = colours.draws(seed, step, ids, how.jitter, how.hue)
    values = colours.jittered(values, *changes, by_hue=how.hue > 0)
  return _normalise(values, mean, std)


def _cut(images, index, drawn, pad, flip):
  """Picks, flips and crops a batch: float32 [batch, height, width, c], not normalised."""
  count, height, width = images.shape[:3]
  mirror, dy, dx = drawn
  row = ops.expand_dims(dy, 1) + ops.arange(height, dtype="int32") - pad  # [batch, height]
  column = ops.expand_dims(dx, 1) + ops.arange(width, dtype="int32") - pad  # [batch, width]
  if flip:  # The flip comes before the padding, so the crop moves over the mirrored image.
    column = ops.where(ops.expand_dims(mirror, 1), width - 1 - column, column)
  rows = ops.logical_and(row >= 0, row < height)
  columns = ops.logical_and(column >= 0, column < width)
  first = ops.cast(ops.expand_dims(index, 1), "int32") * height + ops.clip(row, 0, height - 1)
  place = ops.expand_dims(first * width, 2) + ops.expand_dims(ops.clip(column, 0, width - 1), 1)
  pixels = ops.take(ops.reshape(images, (count * height * width, *images.shape[3:])), place, axis=0)
  if not pad:
    return _colours(pixels)
  inside = ops.logical_and(ops.expand_dims(rows, 2), ops.expand_dims(columns, 1))
  inside = ops.expand_dims(ops.cast(inside, "float32"), 3)
  return _colours(pixels) * inside


def eval_images(images, mean, std):
  """Normalises a batch.

  Args:
    images: uint8 [batch, height, width, c], or `pack`ed float32 [batch, height, width].
    mean: float [c], in pixel units.
    std: float [c], in pixel units.

  Returns:
    float32 [batch, height, width, c].
  """
  return _normalise(_colours(images), mean, std)


def _colours(pixels):
  """Pixels as float32 with a last axis of colours; packed ones are unpacked."""
  if len(pixels.shape) == 4:
    return ops.cast(pixels, "float32")
  blue = ops.floor(pixels * (1 / 65536))
  rest = pixels - blue * 65536
  green = ops.floor(rest * (1 / 256))
  return ops.stack([rest - green * 256, green, blue], axis=-1)


def _normalise(values, mean, std):
  mean, std = np.asarray(mean, np.float64), np.asarray(std, np.float64)
  scale = ops.convert_to_tensor((1 / std).astype(np.float32))
  shift = ops.convert_to_tensor((-mean / std).astype(np.float32))
  return values * scale + shift
