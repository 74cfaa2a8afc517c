"""The 1797 handwritten digits that scikit-learn carries: a data set without a download."""

import numpy as np

from tfdynnas import errors
from tfdynnas.data import sets
from tfdynnas.data import split

CLASS_NAMES = tuple(str(digit) for digit in range(10))


def digits(seed=0, image_size=8):
  """Loads scikit-learn's digits, split 50/30/20 within each class.

  Gray values 0..16 become 0..255 in three equal colours.

  Args:
    seed: int in [0, 2**32), of the split.
    image_size: 8, or a multiple of it: pixels are repeated.

  Returns:
    Data, held.

  Raises:
    InputError: scikit-learn is missing, or an argument is out of range.
  """
  times = repeats(image_size)
  gray, labels = load_gray()
  gray = gray.repeat(times, axis=1).repeat(times, axis=2)
  images = np.repeat(gray[..., None], 3, axis=-1)
  parts = tuple(
      sets.Images(images[places], labels[places])
      for places in split.stratified(labels, (0.5, 0.3, 0.2), seed)
  )
  record = {"source": "digits", "split": "seeded permutation", "seed": seed}
  return sets.assemble(parts, CLASS_NAMES, record)


def load_gray():
  """All digits: uint8 [1797, 8, 8] of grays 0..255, int32 [1797].

  Raises:
    InputError: scikit-learn is missing.
  """
  try:
    from sklearn import datasets
  except ImportError:
    raise errors.InputError(
        "The digits come with scikit-learn, which is not installed. "
        "Run: pip install tfdynnas[digits]"
    ) from None
  source = datasets.load_digits()
  return np.round(source.images * (255 / 16)).astype(np.uint8), source.target.astype(np.int32)


def repeats(image_size):
  """How often each pixel is repeated for an `image_size`.

  Raises:
    InputError: It is no multiple of 8.
  """
  if not isinstance(image_size, int) or image_size < 8 or image_size % 8:
    raise errors.InputError(f"Digits need an `image_size` of 8, 16, 24... Received: {image_size=}")
  return image_size // 8
