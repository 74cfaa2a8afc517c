"""Compares a written version with the model, and with the scored images, before it appears."""

import numpy as np

from tfdynnas import errors
from tfdynnas.data.images import preparation as preparation_lib

# The greatest difference between the probabilities of a written graph and the model's: enough for
# sums in another order over a hundred layers, too little for a wrong weight.
DRAFT_TOLERANCE = 1e-3
HALF_TOLERANCE = 5e-2  # With layers in float16 or bfloat16.
DECODERS = 16  # Allowed difference, of 255, between Pillow's and TensorFlow's JPEGs; 9 was seen.


def check(path, images, probabilities, tolerance=1e-5):
  """Loads a version and compares its `serving_default` with expected probabilities, on the CPU.

  Args:
    path: Folder of the version.
    images: float32 [n, height, width, 3], pixels 0..255.
    probabilities: float32 [n, classes].
    tolerance: Greatest difference allowed.

  Returns:
    float, the greatest difference.

  Raises:
    RuntimeError: A difference is greater, or is NaN.
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


def check_model(folder, model, graph):
  """Compares the written version with the model, and the model with itself on smaller batches.

  Args:
    folder: pathlib.Path of the version.
    model: Keras model.
    graph: dict with image_size, mean and std.

  Raises:
    InputError: The model's answer to an image depends on its batch.
    RuntimeError: The written version gives other probabilities.
  """
  shape = (2, *graph["image_size"], 3)
  images = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
  tolerance = _tolerance(model)
  probabilities = _ask(model, graph, images)
  alone = np.concatenate([_ask(model, graph, image[None]) for image in images])
  difference = float(np.max(np.abs(alone - probabilities)))
  if difference > tolerance:
    raise errors.InputError(
        "A served model answers each image by itself; one that normalises by batch statistics does "
        f"not. Received: a model whose answers differ by {difference:.3g} in another batch"
    )
  check(folder, images, probabilities, tolerance)


def check_files(folder, model, graph, preparation, examples):
  """Sends image files to the written version, and compares its answers with scoring.

  Args:
    folder: pathlib.Path of the version.
    model: Keras model.
    graph: dict with mean and std.
    preparation: data.images.preparation.Preparation.
    examples: (list of bytes, uint8 [n, height, width, 3]), or None.

  Returns:
    str, a sentence on how close they are.

  Raises:
    RuntimeError: The pixels differ, or the probabilities of the same pixels do.
  """
  import tensorflow as tf

  if examples is None:
    return "Not compared with image files: the images that were scored came as pixels."
  files, scored = examples
  with tf.device("CPU:0"):
    seen = np.stack([preparation_lib.pixels(file, preparation).numpy() for file in files])
    endpoint = tf.saved_model.load(str(folder)).signatures["image_bytes"]
    found = endpoint(image_bytes=tf.constant(files))["probabilities"].numpy()
  levels = int(np.max(np.abs(seen.astype(np.int32) - scored)))
  difference = float(np.max(np.abs(found - _ask(model, graph, seen.astype(np.float32)))))
  if levels > DECODERS or not difference <= _tolerance(model):
    raise RuntimeError(
        f"`image_bytes` must see what was scored. Received: pixels that differ by up to {levels} "
        f"of 255, and probabilities by {difference:.3g}"
    )
  alike = "those that were scored" if levels == 0 else (
      f"up to {levels} of 255 off those that were scored, which another decoder read")
  return f"Compared on {len(files)} image files: the pixels are {alike}."


def _tolerance(model):
  halves = {layer.compute_dtype for layer in (model, *model.layers)} - {"float32", "float64"}
  return HALF_TOLERANCE if halves else DRAFT_TOLERANCE


def _ask(model, graph, images):
  """The model's own probabilities, on the CPU."""
  import tensorflow as tf

  with tf.device("CPU:0"):
    logits = model((images - graph["mean"]) / graph["std"], training=False)
    return tf.nn.softmax(tf.cast(logits, tf.float32)).numpy()
