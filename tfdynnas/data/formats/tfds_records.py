"""Reads the TFRecord files of a prepared tfds set, in any order of files."""

import dataclasses
from typing import Any

import numpy as np

from tfdynnas import errors
from tfdynnas.data import broken
from tfdynnas.data import dataset as dataset_lib
from tfdynnas.data import streams
from tfdynnas.data.images import preparation as preparation_lib


@dataclasses.dataclass(frozen=True)
class Source:
  """A prepared set, and how to prepare its images.

  Attributes:
    builder: Prepared tfds builder with the features `image` and `label`.
    preparation: preparation.Preparation with a size; None if no image is decoded.
    classes: Number of classes; records with greater labels are left out.
  """

  builder: Any
  preparation: preparation_lib.Preparation | None
  classes: int

  def facts(self, split, *names, first=-1):
    """Features of a split's records, such as labels, in file order; images are not decoded.

    Args:
      split: Name of the split.
      *names: Features to read.
      first: Number of records to read; -1 reads all.

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
    """The encoded images of a split: list of bytes, in file order."""
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
    identity += [path.name for path in info.filepaths] + [streams.digest(keep.tobytes())]
    how = self.preparation
    identity += [f"{how.size} {how.downsample}", *how.identity()]
    record_bytes = info.num_bytes // info.num_examples
    found = streams.sequential_stream(
        self._records(split), keep, how.image_shape, self._decode, "\n".join(identity),
        record_bytes, how.crop == "resized", lambda record: self._undecoded(record)[0],
    )
    return dataclasses.replace(found, check=lambda: self.check(split))

  def check(self, split):
    """Raises InputError that names the first broken record of a split, and its file."""
    info = self.builder.info.splits[split]
    for path, length in zip(map(str, info.filepaths), info.shard_lengths):
      records = streams.file_records([path], [length])(None)
      contents = records.map(lambda _, record: self._undecoded(record)[0])
      found = broken.first(contents, self.preparation)
      if found:
        raise errors.InputError(
            f"Every file of a tfds set must be whole. Received: {self.builder.info.full_name}, "
            f"split {split}, {path}: record {found[0]}: {found[1]}"
        )

  def held(self, split, places):
    """Images of the records at `places` of a split, in the order of `places`."""
    places = np.asarray(places)
    stream = self.stream(split, places)
    images = stream.ordered().map(lambda _, image, label: (image, label))
    with stream.reading():
      part = streams.hold(images, len(places), self.preparation.image_shape)
    # The files give the places in ascending order; published lists of images may have another.
    rank = np.argsort(np.argsort(places))
    return dataset_lib.Images(
        part.images if np.array_equal(rank, np.arange(len(rank))) else part.images[rank],
        part.labels[rank], lambda chosen: stream.encoded([int(rank[place]) for place in chosen]),
    )

  def _records(self, split):
    """A function, key -> dataset of (position in file order, serialised record)."""
    info = self.builder.info.splits[split]
    return streams.file_records([str(path) for path in info.filepaths], info.shard_lengths)

  def _parse(self, record, names):
    """The named features of a serialised record; others are not decoded."""
    import tensorflow_datasets as tfds

    features = {name: self.builder.info.features[name] for name in names}
    example = tfds.features.FeaturesDict(features).deserialize_example(record)
    return tuple(example[name] for name in names)

  def _undecoded(self, record):
    """The (bytes of the image, label) of a serialised record."""
    import tensorflow_datasets as tfds

    features = {name: self.builder.info.features[name] for name in ("image", "label")}
    skip = {"image": tfds.decode.SkipDecoding()}
    example = tfds.features.FeaturesDict(features).deserialize_example(record, decoders=skip)
    return example["image"], example["label"]

  def _decode(self, record, key):
    content, label = self._undecoded(record)
    return preparation_lib.pixels(content, self.preparation, key), label
