"""The 1797 handwritten digits that scikit-learn carries: a data set without a download."""

import numpy as np

from tfdynnas import errors
from tfdynnas.data import sets
from tfdynnas.data import split


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
  if not isinstance(image_size, int) or image_size < 8 or image_size % 8:
    raise errors.InputError(f"Digits need an `image_size` of 8, 16, 24... Received: {image_size=}")
  try:
    from sklearn import datasets
  except ImportError:
    raise errors.InputError(
        "The digits come with scikit-learn, which is not installed. "
        "Run: pip install tfdynnas[digits]"
    ) from None
  source = datasets.load_digits()
  gray = np.round(source.images * (255 / 16)).astype(np.uint8)
  gray = gray.repeat(image_size // 8, axis=1).repeat(image_size // 8, axis=2)
  images = np.repeat(gray[..., None], 3, axis=-1)
  labels = source.target.astype(np.int32)
  parts = tuple(
      sets.Images(images[places], labels[places])
      for places in split.stratified(labels, (0.5, 0.3, 0.2), seed)
  )
  record = {"source": "digits", "split": "seeded permutation", "seed": seed}
  return sets.assemble(parts, [str(digit) for digit in range(10)], record)
