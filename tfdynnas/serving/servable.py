"""From a Keras model to a version folder of TensorFlow Serving."""

import errno
import os
import pathlib

import numpy as np

import tfdynnas
from tfdynnas import errors
from tfdynnas.serving import card as card_lib
from tfdynnas.serving import signatures
from tfdynnas.serving import version_folder
from tfdynnas.serving import warmup

# How far the probabilities of a written graph may be from the model's before it is refused: room
# for sums in another order over a hundred layers, none for a wrong weight.
DRAFT_TOLERANCE = 1e-3
HALF_TOLERANCE = 5e-2  # With layers in float16 or bfloat16.


def export(model, base_dir, name, class_names, mean, std, card, version=None):
  """Writes <base_dir>/<name>/<version>/ for TensorFlow Serving, whole or not at all.

  It holds the graph (`signatures.archive`), warm-up requests if tensorflow-serving-api is
  installed, model_card.md and arch.json. Before it appears it is loaded and compared to the model.

  Args:
    model: Keras model from normalised float32 images [batch, height, width, 3] to logits [batch,
      classes].
    base_dir: Folder of served models.
    name: Name to serve under, letters, digits and `._-`.
    class_names: Sequence of str, one per logit.
    mean: float32 [3], in pixel units 0..255: the model takes (pixels - mean) / std.
    std: float32 [3], in pixel units, > 0.
    card: dict for the model card, JSON-able; its known keys are those of `card.write`.
    version: int >= 1, or None for one more than the greatest there.

  Returns:
    pathlib.Path of the version.

  Raises:
    InputError: An argument cannot be used, a model by batch statistics too; the version exists.
    OSError: The version cannot be written. In all cases nothing is left behind.
    RuntimeError: The written graph gives other probabilities than the model.
  """
  graph = _checked(model, class_names, mean, std, card)

  def write(folder):
    note = _write_tensorflow(folder, model, name, graph)
    card_lib.write(folder, name, card, graph, _made_with(), note)
    _check_draft(folder, model, graph)

  return version_folder.write_version(base_dir, name, write, version)


def check(path, images, probabilities, tolerance=1e-5):
  """Loads a version and compares its `serving_default` with what is expected, on the CPU.

  Args:
    path: Folder of the version.
    images: float32 [n, height, width, 3], pixels 0..255.
    probabilities: float32 [n, classes].
    tolerance: Greatest difference allowed.

  Returns:
    float, the greatest difference.

  Raises:
    RuntimeError: A difference is greater, or not a number.
  """
  import tensorflow as tf

  with tf.device("CPU:0"):
    loaded = tf.saved_model.load(str(path))
    images = tf.constant(images, tf.float32)
    found = loaded.signatures["serving_default"](image=images)["probabilities"].numpy()
  difference = float(np.max(np.abs(found - np.asarray(probabilities))))
  if not difference <= tolerance:
    raise RuntimeError(
        f"The graph in {path} gives other probabilities than expected: they differ by "
        f"{difference:.3g}, more than {tolerance:g}"
    )
  return difference


def _checked(model, class_names, mean, std, card):
  """What the graph holds beside the model: image_size, class_names, mean, std."""
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


def _made_with():
  import keras
  import tensorflow as tf

  return {"tfdynnas": tfdynnas.__version__, "tensorflow": tf.__version__,
          "keras": keras.__version__}


def _write_tensorflow(folder, model, name, graph):
  """Writes the graph and the warm-up requests; gives a sentence on the latter."""
  import tensorflow as tf

  try:
    archive = signatures.archive(model, graph["class_names"], graph["mean"], graph["std"])
    archive.write_out(str(folder), verbose=False)
    return warmup.write(folder, name, graph["image_size"])
  except tf.errors.OpError as error:
    raise _os_error(error, folder) from error


def _check_draft(folder, model, graph):
  """Compares what was written with the model, and the model with itself on smaller batches."""
  shape = (2, *graph["image_size"], 3)
  images = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
  halves = {layer.compute_dtype for layer in (model, *model.layers)} - {"float32", "float64"}
  tolerance = HALF_TOLERANCE if halves else DRAFT_TOLERANCE
  probabilities = _ask(model, graph, images)
  alone = np.concatenate([_ask(model, graph, image[None]) for image in images])
  difference = float(np.max(np.abs(alone - probabilities)))
  if difference > tolerance:
    raise errors.InputError(
        "A served model answers each image by itself; one that normalises by batch statistics does "
        f"not. Received: a model whose answers differ by {difference:.3g} in another batch"
    )
  check(folder, images, probabilities, tolerance)


def _ask(model, graph, images):
  """The model's own probabilities, on the CPU."""
  import tensorflow as tf

  with tf.device("CPU:0"):
    logits = model((images - graph["mean"]) / graph["std"], training=False)
    return tf.nn.softmax(tf.cast(logits, tf.float32)).numpy()


def _os_error(error, folder):
  """TensorFlow's error on a file as Python's, in one line."""
  import tensorflow as tf

  full = isinstance(error, tf.errors.ResourceExhaustedError)
  number = errno.ENOSPC if full else errno.EIO
  reason = " ".join(str(error.message).split())[:200]
  home = pathlib.Path(folder).parent
  return OSError(number, f"{os.strerror(number)}: {reason}", str(home))
