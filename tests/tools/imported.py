"""What a launcher imports, imported once: the processes of `forked` begin where this ends."""

import gc
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # As of launchers; TensorFlow reads it once.

import keras  # noqa: E402,F401
import tensorflow as tf  # noqa: E402,F401

from tests.tools import forked  # noqa: E402,F401
from tfdynnas import jobs  # noqa: E402,F401
from tfdynnas import serving  # noqa: E402,F401
from tfdynnas.backend import current  # noqa: E402

current.name  # It is imported when it is first asked for.
gc.freeze()
