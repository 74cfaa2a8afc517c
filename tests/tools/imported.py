"""What every launcher imports of other packages, once: the processes of `forked` begin here.

Nothing of the package is here, so that each of them imports it as a launcher of a user does.
"""

import gc
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # As of launchers; TensorFlow reads it once.

import keras  # noqa: E402,F401
import keras_tuner  # noqa: E402,F401
import tensorflow as tf  # noqa: E402,F401

from tests.tools import forked  # noqa: E402,F401

gc.freeze()
