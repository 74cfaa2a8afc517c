"""From a Keras model to a version folder of TensorFlow Serving."""

import errno
import os
import pathlib

import tfdynnas
from tfdynnas import errors
from tfdynnas.data.images import preparation as preparation_lib
from tfdynnas.serving import card as card_lib
from tfdynnas.serving import draft
from tfdynnas.serving import signatures
from tfdynnas.serving import version_folder
from tfdynnas.serving import warmup


def export(
    model, base_dir, name, class_names, mean, std, card, version=None, preparation=None,
    examples=None, more=lambda folder, graph: {},
):
  """Writes <base_dir>/<name>/<version>/ for TensorFlow Serving, whole or not at all.

  Before it appears, it is loaded and compared with the model.

  Args:
    model: Keras model from normalised images [batch, height, width, 3] to logits [batch, classes].
    base_dir: Folder of served models.
    name, class_names: Name to serve under, letters, digits and `._-`; a str per logit.
    mean, std: float32 [3], in pixel units 0..255: the model takes (pixels - mean) / std.
    card: dict for the model card, see `card.write`.
    version: int >= 1, or None for one more than the greatest that exists.
    preparation: data.images.preparation.Preparation of the scored images; None: whole, resized.
    examples: (files, pixels) of scored images, see data.examples, or None.
    more: Function (folder, graph) that writes further files, and returns the card's `other_files`.

  Returns:
    pathlib.Path of the version.

  Raises:
    InputError: An argument is unusable, the model normalises by batches, or the version exists.
    OSError: The version cannot be written. In all cases nothing is left behind.
    RuntimeError: The written graph gives other probabilities, or sees other pixels of a file.
  """
  graph = _checked(model, class_names, mean, std, card)
  preparation = _of_model(preparation, graph["image_size"])

  def write(folder):
    note = _write_tensorflow(folder, model, name, graph, preparation)
    draft.check_model(folder, model, graph)
    graph["preparation"] = preparation.as_dict()
    graph["files"] = draft.check_files(folder, model, graph, preparation, examples)
    graph["other_files"] = more(folder, graph)
    card_lib.write(folder, name, card, graph, _made_with(), note)

  return version_folder.write_version(base_dir, name, write, version)


def _checked(model, class_names, mean, std, card):
  """Checks the arguments; returns a dict of image_size, class_names, mean and std."""
  import keras

  if keras.backend.backend() != "tensorflow":
    raise errors.InputError(
        "TensorFlow Serving needs Keras on TensorFlow (KERAS_BACKEND=tensorflow). "
        f"Received: {keras.backend.backend()}"
    )
  if not isinstance(card, dict):
    raise errors.InputError(f"`card` must be a dict. Received: {type(card).__name__}")
  card_lib.as_json(card)
  size, classes = signatures.image_and_classes(model)
  names = signatures.labels(class_names, classes)
  mean, std = signatures.channel_constants(mean, std)
  return {"image_size": size, "class_names": names, "mean": mean, "std": std}


def _of_model(preparation, size):
  """The preparation of files for the model's size, (height, width)."""
  preparation = preparation or preparation_lib.Preparation(size=size)
  if preparation.image_shape[:2] != size:
    raise errors.InputError(
        f"`preparation` must give images of the model's size, {size}. "
        f"Received: {preparation.image_shape[:2]}"
    )
  return preparation


def _made_with():
  import keras
  import tensorflow as tf

  return {"tfdynnas": tfdynnas.__version__, "tensorflow": tf.__version__,
          "keras": keras.__version__}


def _write_tensorflow(folder, model, name, graph, preparation):
  """Writes the graph and the warm-up requests; returns a sentence on the latter."""
  import tensorflow as tf

  try:
    constants = graph["class_names"], graph["mean"], graph["std"]
    archive = signatures.archive(model, *constants, preparation)
    archive.write_out(str(folder), verbose=False)
    return warmup.write(folder, name, graph["image_size"])
  except tf.errors.OpError as error:
    raise _os_error(error, folder) from error


def _os_error(error, folder):
  """TensorFlow's error about a file as an OSError of one line."""
  import tensorflow as tf

  full = isinstance(error, tf.errors.ResourceExhaustedError)
  number = errno.ENOSPC if full else errno.EIO
  reason = " ".join(str(error.message).split())[:200]
  home = pathlib.Path(folder).parent
  return OSError(number, f"{os.strerror(number)}: {reason}", str(home))
