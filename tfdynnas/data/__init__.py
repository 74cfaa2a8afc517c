"""Images in: tfds, image folders, TFRecord shards, tf.data datasets, the digits, packed files.

TensorFlow and the readers are imported when a function needs them. The functions that run on the
device, in `keras.ops`, are in `tfdynnas.data.images.augment`, which is imported by that name.
"""

from tfdynnas.data.batches import eval_batches
from tfdynnas.data.batches import train_batches
from tfdynnas.data.dataset import HELD_BYTES
from tfdynnas.data.dataset import Data
from tfdynnas.data.dataset import Images
from tfdynnas.data.dataset import Stream
from tfdynnas.data.examples import examples
from tfdynnas.data.formats.packing import pack
from tfdynnas.data.formats.sharding import write_shards
from tfdynnas.data.load import load
from tfdynnas.data.order import epoch_order
from tfdynnas.data.order import steps_per_epoch
from tfdynnas.data.sources.datasets import from_dataset
from tfdynnas.data.sources.digits import digits
from tfdynnas.data.sources.folder import from_folder
from tfdynnas.data.sources.packed import from_packed
from tfdynnas.data.sources.shards import from_shards
from tfdynnas.data.sources.tfds import from_tfds

__all__ = [
    "Data", "HELD_BYTES", "Images", "Stream", "digits", "epoch_order", "eval_batches", "examples",
    "from_dataset", "from_folder", "from_packed", "from_shards", "from_tfds", "load", "pack",
    "steps_per_epoch", "train_batches", "write_shards",
]
