"""The images: their source, preparation, packing and conversion to records."""

import dataclasses

from tfdynnas import errors
from tfdynnas import image_size as image_size_lib
from tfdynnas import registry
from tfdynnas.config.option import Config
from tfdynnas.config.option import When
from tfdynnas.config.option import option

_TFDS = When(
    "dataset", "a `dataset` of tfds",
    lambda value: value is not None and value not in registry.DATASETS,
)
_FILES = When("dataset", "images in files", lambda value: value not in registry.DATASETS)


@dataclasses.dataclass(frozen=True)
class DataConfig(Config):
  """The images, their preparation and their splits."""

  dataset: str | None = option(None, "`digits`, or the name of a tfds data set.", unset="")
  image_dir: str | None = option(
      None, "Folder of images in class folders, in place of --dataset.", path=True, unset="",
  )
  data_file: str | None = option(
      None, "Packed file that tools/pack.py made, in place of --dataset.", path=True, unset="",
  )
  record_dir: str | None = option(
      None, "Folder of TFRecord shards, in place of --dataset.", path=True, unset="",
  )
  data_dir: str | None = option(
      None, "Folder of prepared tfds data sets; none: tfds' own.", path=True, unset="",
      rules=(_TFDS,),
  )
  download: bool | None = option(
      False, "Let tfds download and prepare a data set that is not there.", rules=(_TFDS,),
  )
  image_size: str | None = option(
      None, "Size of the images, pixels: 32 for a square, or HEIGHTxWIDTH as 96x256; none keeps "
      "their own.", form=image_size_lib.text, unset="",
  )
  crop: str = option(
      "whole", "What training sees of an image: all of it, or random-resized crops; scoring then "
      "sees its middle.", choices=("whole", "resized"),
  )
  resize: str = option(
      "squash", "How a whole image of another ratio gets --image_size: squashed, padded, or its "
      "middle cut out.", choices=("squash", "pad", "crop"),
  )
  orientation: str | None = option(
      "exif", "Image files: turned as their EXIF says, or their pixels as stored.",
      choices=("exif", "stored"), rules=(_FILES,),
  )
  background: str | None = option(
      "white", "What transparent pixels are laid on; none leaves transparency out.",
      choices=("white", "black", "none"), rules=(_FILES,),
  )
  max_pixels: int | None = option(
      89_478_485, "Most pixels of an image file; a larger one is refused before it is decoded.",
      least=1, most=178_956_970, rules=(_FILES,),
  )
  downsample: int = option(
      1, "Side of the blocks of pixels that are averaged to one pixel.", least=1, most=16_384,
  )
  keep_classes: int | None = option(
      None, "Keep only the labels below this number; none: all.", least=1, most=1_000_000, unset=0,
  )
  valid_share: float | None = option(
      None, "Share of the images to split off for validation; none: what is usual for their "
      "source.", above=0, below=1, unset=0.0,
  )
  test_share: float | None = option(
      None, "Share of the images to split off for the test, where their source has no test part.",
      above=0, below=1, unset=0.0,
  )
  split_file: str | None = option(
      None, "CIFAR-10: the literature's list of training images.", path=True, unset="",
  )
  data_seed: int | None = option(
      0, "Seed of the split.", least=0, below=2**32,
      rules=(When("split_file", "no `split_file`", lambda value: value is None),),
  )

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
  """The file that images are packed into."""

  dataset: str | None = option(None, "`digits`, or the name of a tfds data set.", unset="")
  image_dir: str | None = option(
      None, "Folder of images in class folders, in place of --dataset.", path=True, unset="",
  )
  data_dir: str | None = option(
      None, "Folder of prepared tfds data sets; none: tfds' own.", path=True, unset="",
      rules=(_TFDS,),
  )
  download: bool | None = option(
      False, "Let tfds download and prepare a data set that is not there.", rules=(_TFDS,),
  )
  data_file: str | None = option(None, "File to write, .npz.", path=True, unset="")

  def __post_init__(self):
    super().__post_init__()
    if bool(self.dataset) == bool(self.image_dir) or not self.data_file:
      raise errors.InputError(
          "Give `data_file`, and one of `dataset` and `image_dir`. Received: "
          f"data_file={self.data_file!r}, dataset={self.dataset!r}, image_dir={self.image_dir!r}"
      )


@dataclasses.dataclass(frozen=True)
class RecordConfig(Config):
  """The images to write as TFRecord shards."""

  image_dir: str | None = option(None, "Folder of images in class folders.", path=True, unset="")
  record_dir: str | None = option(None, "Folder to write shards in.", path=True, unset="")
  record_shards: int = option(8, "Shards of each part.", least=1, most=99_999)
  record_seed: int = option(0, "Seed of the order of the images.", least=0, below=2**32)

  def __post_init__(self):
    super().__post_init__()
    if not self.image_dir or not self.record_dir:
      raise errors.InputError(
          "Give `image_dir` and `record_dir`. "
          f"Received: image_dir={self.image_dir!r}, record_dir={self.record_dir!r}"
      )
