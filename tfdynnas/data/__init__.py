"""Images in: tfds, image folders, TFRecord shards, tf.data datasets, the digits, packed files.

TensorFlow and the readers are imported when a function needs them. What runs on the device, in
`keras.ops`, is in `tfdynnas.data.augment`, imported by that name.
"""

from tfdynnas.data.choose import load
from tfdynnas.data.embedded import digits
from tfdynnas.data.feed import eval_batches
from tfdynnas.data.feed import train_batches
from tfdynnas.data.folder import from_folder
from tfdynnas.data.order import epoch_order
from tfdynnas.data.order import steps_per_epoch
from tfdynnas.data.own import from_dataset
from tfdynnas.data.packed import from_packed
from tfdynnas.data.packing import pack
from tfdynnas.data.prepared import from_tfds
from tfdynnas.data.sets import Data
from tfdynnas.data.sets import HELD_BYTES
from tfdynnas.data.sets import Images
from tfdynnas.data.sets import Stream
from tfdynnas.data.sharding import write_shards
from tfdynnas.data.shards import from_shards
