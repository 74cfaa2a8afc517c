"""Reads the TFRecord files of a prepared tfds set, in whatever order of files is asked for."""

import dataclasses
from typing import Any

import numpy as np

from tfdynnas.data import crop as crop_lib
from tfdynnas.data import read
from tfdynnas.data import resize


@dataclasses.dataclass(frozen=True)
class Source:
  """A prepared set and the size its images are to have.

  Attributes:
    builder: Prepared tfds builder with the features `image` and `label`.
    size: (height, width) to resize to, or None.
    downsample: Block side of the mean of pixels.
    image_shape: (height, width, 3), what comes out.
    classes: Labels from here on are left out.
    crop: "whole" or "resized", see `crop`.
  """

  builder: Any
  size: tuple[int, int] | None
  downsample: int
  image_shape: tuple[int, int, int]
  classes: int
  crop: str = "whole"

  def facts(self, split, *names, first=-1):
    """Features of a split's records, such as labels, in file order; images are not decoded.

    Args:
      split: Name of the split.
      *names: Features to read.
      first: Read only so many records; -1 reads all.

    Returns:
      One array [records] per name: int64 labels, bytes.
    """
    import tensorflow as tf

    dataset = self._records(split)(None).take(first).map(
        lambda _, record: self._parse(record, names), tf.data.AUTOTUNE
    )
    batches = dataset.batch(1000).as_numpy_iterator()
    return tuple(np.concatenate(pieces) for pieces in zip(*batches))

  def encoded(self, split):
    """The images of a split as the records hold them: list of bytes, in file order."""
    dataset = self._records(split)(None).map(lambda _, record: self._undecoded(record)[0])
    return list(dataset.as_numpy_iterator())

  def kept(self, split):
    """Positions of the records whose label is below `classes`, int32."""
    if self.classes == self.builder.info.features["label"].num_classes:
      return np.arange(self.builder.info.splits[split].num_examples, dtype=np.int32)
    (labels,) = self.facts(split, "label")
    return np.flatnonzero(labels < self.classes).astype(np.int32)

  def stream(self, split, places):
    """Stream of the records at `places` of a split."""
    info = self.builder.info.splits[split]
    keep = np.zeros(info.num_examples, bool)
    keep[places] = True
    identity = [self.builder.info.full_name, split, *map(str, info.shard_lengths)]
    identity += [path.name for path in info.filepaths] + [read.digest(keep.tobytes())]
    identity += [f"{self.size} {self.downsample}", *crop_lib.record(self.crop)]
    record_bytes = info.num_bytes // info.num_examples
    return read.sequential_stream(
        self._records(split), keep, self.image_shape, self._decode, "\n".join(identity),
        record_bytes, self.crop == "resized",
    )

  def held(self, split, places):
    """Images of the records at `places` of a split, in the order of `places`."""
    places = np.asarray(places)
    stream = self.stream(split, places)
    part = read.hold(
        stream.ordered().map(lambda _, image, label: (image, label)), len(places), self.image_shape
    )
    # The files give the places in ascending order; the literature's lists need not be.
    rank = np.argsort(np.argsort(places))
    if np.array_equal(rank, np.arange(len(places))):
      return part
    return dataclasses.replace(part, images=part.images[rank], labels=part.labels[rank])

  def _records(self, split):
    """key -> dataset of (position in file order, serialized record)."""
    info = self.builder.info.splits[split]
    return read.file_records([str(path) for path in info.filepaths], info.shard_lengths)

  def _parse(self, record, names):
    """The named features of one serialized record; others are not decoded."""
    import tensorflow_datasets as tfds

    features = {name: self.builder.info.features[name] for name in names}
    example = tfds.features.FeaturesDict(features).deserialize_example(record)
    return tuple(example[name] for name in names)

  def _undecoded(self, record):
    """(bytes of the image, label) of one serialized record."""
    import tensorflow_datasets as tfds

    features = {name: self.builder.info.features[name] for name in ("image", "label")}
    skip = {"image": tfds.decode.SkipDecoding()}
    example = tfds.features.FeaturesDict(features).deserialize_example(record, decoders=skip)
    return example["image"], example["label"]

  def _decode(self, record, key):
    import tensorflow as tf

    if self.crop != "whole":
      content, label = self._undecoded(record)
      return crop_lib.decoded(content, self.size, self.crop, key), label
    image, label = self._parse(record, ("image", "label"))
    if self.builder.info.features["image"].shape[-1] == 1:
      image = tf.image.grayscale_to_rgb(image)
    return resize.fitted(image, self.size, self.downsample), label
