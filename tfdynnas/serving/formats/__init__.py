"""Files of a network for other runtimes than TensorFlow's: one module and one line each."""

import dataclasses
import importlib.util
from collections.abc import Callable

from tfdynnas import errors
from tfdynnas import registry

INPUT, OUTPUT = "image", "probabilities"  # Names in every file, as in `serving_default`.


@dataclasses.dataclass(frozen=True)
class Format:
  """A kind of file that holds a network, and the runtime that runs it.

  Attributes:
    suffix: str, the end of the names of its files.
    runtime: str, the name of the runtime.
    packages: tuple of str, the packages that write and run it.
    write: Function (model, path, calibration) that writes a float32 Keras model of one input;
      in int8 where `calibration`, float32 [n, ...], says how large its values become.
    describe: Function (path, texts) that puts a dict of name -> text into a file.
    read: Function (path, threads) that opens a file: Function from a float32 input [n, ...] to the
      output, numpy.ndarray; `threads` may be None, the runtime's own choice.
  """

  suffix: str
  runtime: str
  packages: tuple
  write: Callable
  describe: Callable
  read: Callable


def find(name):
  """The format of a name.

  Args:
    name: A key of registry.FORMATS.

  Returns:
    Format.

  Raises:
    InputError: There is none of that name, or a package is missing.
  """
  found = registry.find(registry.FORMATS, name, "format")
  missing = [package for package in found.packages if importlib.util.find_spec(package) is None]
  if missing:
    raise errors.InputError(
        f"The format {name} needs packages: pip install 'tfdynnas[{name}]'. Received: no "
        f"{', '.join(missing)}"
    )
  return found


def from_pixels(model, mean, std):
  """A model from pixels to probabilities around one from normalised images to logits.

  Args:
    model: Keras model from images [n, height, width, 3] to logits [n, classes].
    mean, std: float32 [3], in pixel units 0..255.

  Returns:
    keras.Model from INPUT, float32, to {OUTPUT: float32 [n, classes]}.

  Raises:
    InputError: A layer computes in half precision.
  """
  import keras

  halves = {layer.compute_dtype for layer in (model, *model.layers)} - {"float32"}
  if halves:
    raise errors.InputError(
        "A format for devices takes a network in float32. Received: layers in "
        f"{', '.join(sorted(halves))}"
    )
  image = keras.Input(model.input_shape[1:], name=INPUT)
  # tf2onnx makes inputs of the constants of a Normalization layer.
  scaled = keras.layers.Rescaling((1 / std).tolist(), (-mean / std).tolist())(image)
  return keras.Model(image, {OUTPUT: keras.layers.Softmax(name=OUTPUT)(model(scaled))})
