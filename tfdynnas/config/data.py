"""Which images, and how they are prepared, packed and written as records."""

import dataclasses

from tfdynnas import errors
from tfdynnas import image_size as image_size_lib
from tfdynnas.config.option import Config
from tfdynnas.config.option import option


@dataclasses.dataclass(frozen=True)
class DataConfig(Config):
  """Which images, and how they are cut up."""

  dataset: str = option("", "`digits`, or the name of a tfds data set.")
  image_dir: str = option(
      "", "Folder of images in class folders, in place of --dataset.", path=True
  )
  data_file: str = option(
      "", "Packed file that tools/pack.py made, in place of --dataset.", path=True
  )
  record_dir: str = option("", "Folder of TFRecord shards, in place of --dataset.", path=True)
  data_dir: str = option("", "Folder of prepared tfds data sets; empty: tfds' own.", path=True)
  download: bool = option(False, "Let tfds download and prepare the data set if it is not there.")
  image_size: str = option(
      "", "Size of the images, pixels: 32 for a square, or HEIGHTxWIDTH as 96x256; empty keeps "
      "their own.", form=image_size_lib.text,
  )
  crop: str = option(
      "whole", "How images come to --image_size: whole; or of random-resized crops, and the middle "
      "to score on.", choices=("whole", "resized"),
  )
  resize: str = option(
      "squash", "How whole images of another ratio come to --image_size: squashed, padded, or "
      "their middle cut.", choices=("squash", "pad", "crop"),
  )
  orientation: str = option(
      "exif", "Turn image files as their EXIF says, or take the pixels as stored.",
      choices=("exif", "stored"),
  )
  background: str = option(
      "white", "What transparent pixels are laid on; none leaves transparency out.",
      choices=("white", "black", "none"),
  )
  max_pixels: int = option(
      89_478_485, "Most pixels of an image file; a larger one is refused before it is decoded.",
      least=1, most=178_956_970,
  )
  downsample: int = option(
      1, "Side of the blocks of pixels whose mean becomes one.", least=1, most=16_384
  )
  keep_classes: int = option(
      0, "Keep the labels below this number; 0 keeps all.", least=0, most=1_000_000
  )
  valid_share: float = option(
      0.0, "Share of the images to split for validation; 0: as usual for their source.", least=0,
      below=1,
  )
  test_share: float = option(
      0.0, "The same for the test, of images that have none.", least=0, below=1
  )
  split_file: str = option("", "CIFAR-10: the literature's list of training images.", path=True)
  data_seed: int = option(0, "Seed of the split.", least=0, below=2**32)

  def __post_init__(self):
    super().__post_init__()
    names = ("dataset", "image_dir", "data_file", "record_dir")
    sources = {name: getattr(self, name) for name in names}
    if len(list(filter(None, sources.values()))) != 1:
      received = ", ".join(f"{name}={value!r:.60}" for name, value in sources.items())
      raise errors.InputError(
          "Give one of `dataset`, `image_dir`, `data_file` and `record_dir`. "
          f"Received: {received}"
      )
    if not self.image_size and (self.record_dir or self.crop == "resized"):
      raise errors.InputError(
          "`record_dir` and `crop` resized need `image_size`. Received: none"
      )


@dataclasses.dataclass(frozen=True)
class PackConfig(Config):
  """What is packed into one file."""

  dataset: str = option("", "`digits`, or the name of a tfds data set.")
  image_dir: str = option(
      "", "Folder of images in class folders, in place of --dataset.", path=True
  )
  data_dir: str = option("", "Folder of prepared tfds data sets; empty: tfds' own.", path=True)
  download: bool = option(False, "Let tfds download and prepare the data set if it is not there.")
  data_file: str = option("", "File to write, .npz.", path=True)

  def __post_init__(self):
    super().__post_init__()
    if bool(self.dataset) == bool(self.image_dir) or not self.data_file:
      raise errors.InputError(
          "Give `data_file`, and one of `dataset` and `image_dir`. Received: "
          f"data_file={self.data_file!r}, dataset={self.dataset!r}, image_dir={self.image_dir!r}"
      )


@dataclasses.dataclass(frozen=True)
class RecordConfig(Config):
  """What is written as TFRecord shards."""

  image_dir: str = option("", "Folder of images in class folders.", path=True)
  record_dir: str = option("", "Folder to write shards in.", path=True)
  record_shards: int = option(8, "Shards of each part.", least=1, most=99_999)
  record_seed: int = option(0, "Seed of the order of the images.", least=0, below=2**32)

  def __post_init__(self):
    super().__post_init__()
    if not self.image_dir or not self.record_dir:
      raise errors.InputError(
          "Give `image_dir` and `record_dir`. "
          f"Received: image_dir={self.image_dir!r}, record_dir={self.record_dir!r}"
      )
