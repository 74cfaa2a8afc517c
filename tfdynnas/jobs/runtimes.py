"""Runtimes that latency is measured in: Keras' back end, or that of a file for devices."""

import contextlib
import os
import pathlib
import tempfile

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.backend import current
from tfdynnas.serving import formats

_FORMATS = {"litert": "litert", "onnxruntime": "onnx"}  # Of the files that a runtime reads.
_CALIBRATION = 8  # Random inputs; how long a call takes does not depend on the scales.


def check(config):
  """Checks that the runtime of a measurement is there.

  Args:
    config: config.LatencyConfig.

  Raises:
    InputError: Keras is on another back end than the runtime needs, or a package is missing.
  """
  backend = keras.backend.backend()
  if config.runtime and backend != "tensorflow":
    raise errors.InputError(
        f"`runtime` needs Keras on TensorFlow (KERAS_BACKEND=tensorflow). Received: {backend}"
    )
  if config.runtime in _FORMATS:
    formats.find(_FORMATS[config.runtime])


@contextlib.contextmanager
def opened(model, config):
  """A model in the runtime of a measurement.

  Args:
    model: keras.Model of one input.
    config: config.LatencyConfig.

  Yields:
    Callable without arguments that runs the model on one batch of random images, to its end.
  """
  shape = (config.latency_batch, *model.input_shape[1:])
  images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
  if config.runtime not in _FORMATS:
    # The mean needs the whole output and fetches one number.
    call = current.compiled(lambda x: ops.mean(model(x, training=False)), model.variables)
    tensor = ops.convert_to_tensor(images)
    yield lambda: float(call(tensor))
    return
  own = formats.find(_FORMATS[config.runtime])
  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / f"model{own.suffix}"
    own.write(model, path, _calibration(shape) if config.quantize == "int8" else None)
    call = own.read(path, processors())
    yield lambda: call(images)


def processors():
  """The number of processors that this process may use."""
  return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _calibration(shape):
  return np.random.default_rng(1).normal(size=(_CALIBRATION, *shape[1:])).astype(np.float32)
