"""Image files, with the pixels that are scored."""

import numpy as np

from tfdynnas.data import dataset


def examples(
    part: dataset.Images | dataset.Stream, count: int = 16
) -> tuple[list[bytes], np.ndarray] | None:
  """Takes some images of a part as files and as pixels.

  Args:
    part: Images or Stream.
    count: int >= 1, the most images to take.

  Returns:
    (list of bytes, uint8 [n, height, width, 3]), or None if the part has no files.

  Example:
    files, images = nas.data.examples(data.test, count=4)
    print(files[0][:4], images.shape)
  """
  if part.encoded is None:
    return None
  if isinstance(part, dataset.Images):
    places = np.unique(np.linspace(0, part.size - 1, count).astype(int))
    return part.encoded(places.tolist()), part.images[places]
  with part.reading():
    rows = list(part.ordered().take(count).as_numpy_iterator())
    return part.encoded(list(range(len(rows)))), np.stack([image for _, image, _ in rows])
