"""Export of a network that was trained on a Data."""

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import keras

from tfdynnas import config
from tfdynnas import data as data_lib
from tfdynnas.serving import device_files
from tfdynnas.serving import servable


def export(
    network: keras.Model, path: str | os.PathLike, data: data_lib.Data, version: int | None = None,
    card: dict[str, Any] | None = None, format: Sequence[str] = (config.SAVED_MODEL,),
    quantize: str = "none",
) -> pathlib.Path:
  """Writes <path>/<version>/ for TensorFlow Serving, and for devices, whole or not at all.

  Args:
    network: Keras model from normalised images to logits, such as a search's best after training.
    path: Folder of the model; the model is served under its name.
    data: data.Data that it was trained on: class names, constants, how files become pixels, and
      test images whose files are sent to the written version.
    version: int >= 1, or None for one more than the greatest that exists.
    card: dict of further entries of the model card, for example {"arch": "3,3,0,1,4,2"}.
    format: `saved_model` and any of `litert` and `onnx`, files model.tflite and model.onnx.
    quantize: `int8` for model.int8.tflite and model.int8.onnx too, or `none`.

  Returns:
    pathlib.Path of the version.

  Raises:
    InputError: An argument cannot be used, the version exists, a package of a format is missing, or
      the network does not convert.
    RuntimeError: The written graph gives other probabilities, or sees other pixels of a file.

  Example:
    version = nas.export(network, "servables/digits", data)
    print(version.name)  # 1, and one more at each export.
  """
  wanted = config.ExportConfig(format=tuple(format), quantize=quantize)
  device_files.names(wanted.format, wanted.quantize)  # Refuses before anything is written.
  path = pathlib.Path(path)
  scored = data.test if data.test is not None else data.valid
  return servable.export(
      network, str(path.parent), path.name, data.class_names, data.mean, data.std,
      {"dataset": str(data.record["source"]), **(card or {})}, version, data.preparation,
      data_lib.examples(scored),
      lambda folder, graph: device_files.write(folder, network, graph, data, format, quantize),
  )
