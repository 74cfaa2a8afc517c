"""The 1797 handwritten digits of scikit-learn: a data set without a download."""

import numpy as np

from tfdynnas import errors
from tfdynnas import image_size as image_size_lib
from tfdynnas import made_by
from tfdynnas.data import dataset
from tfdynnas.data import split
from tfdynnas.data.images import pixels
from tfdynnas.data.images import preparation as preparation_lib

CLASS_NAMES = tuple(str(digit) for digit in range(10))


@made_by.recorded(dataset="digits")
def digits(
    seed: int = 0, image_size: int | tuple[int, int] = 8, valid_share: float | None = None,
    test_share: float | None = None,
) -> dataset.Data:
  """Loads scikit-learn's digits, split 50/30/20 within each class.

  Gray values 0..16 become 0..255 in three equal colours.

  Args:
    seed: int in [0, 2**32), of the split.
    image_size: 8 or a multiple of it, or a pair of these: pixels are repeated.
    valid_share: Share in (0, 1) for validation, instead of 0.3.
    test_share: Share in (0, 1) for the test, instead of 0.2.

  Returns:
    Data, held.

  Raises:
    InputError: scikit-learn is missing, or an argument is out of range.

  Example:
    data = nas.data.digits(image_size=16)
    print(data.train.images.shape)  # (898, 16, 16, 3)
  """
  rows, columns = repeats(image_size)
  small, labels = load_gray()
  gray = small.repeat(rows, axis=1).repeat(columns, axis=2)
  images = np.repeat(gray[..., None], 3, axis=-1)
  places, how = split.of_parts([labels, None, None], seed, valid_share, test_share)
  parts = tuple(
      dataset.Images(images[own], labels[own], _encoded(small[own])) for _, own in places
  )
  record = {"source": "digits", "split": how, "seed": seed}
  return dataset.assemble(parts, CLASS_NAMES, record, preparation=preparation(image_size))


def preparation(image_size):
  """The Preparation of a digit's file; raises InputError as `repeats` does."""
  return preparation_lib.Preparation(size=(8, 8), repeat=repeats(image_size))


def _encoded(gray):
  """The `encoded` of Images, for uint8 [n, 8, 8]: PNG files, made on demand."""
  return lambda places: [pixels.png(gray[place]) for place in places]


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
  """The (down, across) repeats of each pixel for an `image_size`, ints.

  Raises:
    InputError: A side is no multiple of 8.
  """
  sides = image_size_lib.pair(image_size)
  if any(side % 8 for side in sides):
    raise errors.InputError(f"Digits need an `image_size` of 8, 16, 24... Received: {image_size=}")
  return tuple(side // 8 for side in sides)
