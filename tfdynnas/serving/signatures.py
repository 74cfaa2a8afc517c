"""The served graph: a Keras model between raw pixels and named probabilities.

Source: TensorFlow Serving's g3doc/api_rest.md and servables/tensorflow/classifier.cc.
"""

import numpy as np

from tfdynnas import errors
from tfdynnas.data import class_names as names_lib
from tfdynnas.data.images import preparation as preparation_lib

NAMES = ("serving_default", "image_bytes", "classify")
ENCODED = "image/encoded"  # Its name in TensorFlow's image sets and the server's examples.


def image_and_classes(model):
  """The image size and the number of classes of a model.

  Args:
    model: Keras model from images [batch, height, width, 3] to logits [batch, classes].

  Returns:
    ((height, width), classes), ints.

  Raises:
    InputError: It is not such a model, or its sizes are not fixed.
  """
  images = getattr(model, "input_shape", None)
  logits = getattr(model, "output_shape", None)
  for shape, rank in ((images, 4), (logits, 2)):
    if not isinstance(shape, tuple) or len(shape) != rank or None in shape[1:]:
      break
  else:
    if images[3] == 3:
      return (int(images[1]), int(images[2])), int(logits[1])
  raise errors.InputError(
      "A served model takes images [batch, height, width, 3] and gives logits [batch, classes], of "
      f"fixed sizes. Received: a model from {images} to {logits}"
  )


def labels(class_names, classes):
  """Checks class names; returns a tuple of str."""
  if isinstance(class_names, str) or not all(isinstance(name, str) for name in class_names):
    raise errors.InputError(f"`class_names` must be strings. Received: {class_names!r}")
  names_lib.check(class_names, "`class_names`")
  names = tuple(class_names)
  if len(names) != classes:
    raise errors.InputError(
        f"`class_names` must name each output of the model. Received: {len(names)} names for "
        f"{classes} outputs"
    )
  return names


def channel_constants(mean, std):
  """Checks mean and std, in pixel units; returns float32 [3] each."""
  try:
    mean, std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
  except (TypeError, ValueError):
    raise errors.InputError(f"`mean` and `std` must be numbers. Received: {mean}, {std}") from None
  good = mean.shape == std.shape == (3,) and np.isfinite([mean, std]).all() and (std > 0).all()
  if not good:
    raise errors.InputError(
        "`mean` and `std` must be three numbers each, `std` > 0. "
        f"Received: {mean.tolist()}, {std.tolist()}"
    )
  return mean, std


def archive(model, class_names, mean, std, preparation):
  """Makes the archive that writes the graph.

  Signatures, with the names of inputs and outputs:
    `serving_default`: `image` float32 [n, height, width, 3], pixels 0..255 -> `probabilities`
      float32 [n, classes], `class_id` int32 [n], `label` string [n].
    `image_bytes`: `image_bytes` string [n], PNG, JPEG, GIF (its first frame), BMP or WebP
      files of any size -> the same.
    `classify`: `inputs` string [n], serialised tf.Examples with an image file in `image/encoded` ->
      `classes` string [n, classes], `scores` float32 [n, classes], best first.

  Args:
    model: Keras model from normalised images to logits.
    class_names: Sequence of str, one per logit.
    mean: float32 [3], in pixel units.
    std: float32 [3], in pixel units, > 0.
    preparation: data.images.preparation.Preparation, how image files become the model's pixels.

  Returns:
    keras.export.ExportArchive.
  """
  import keras
  import tensorflow as tf

  size, _ = image_and_classes(model)

  def score(image):
    logits = model((image - mean) / std, training=False)
    return tf.nn.softmax(tf.cast(logits, tf.float32))  # REST has no half precision.

  # A tf.Module around the model would not load in the server. The endpoints track the variables
  # they read; after track(model) Keras 3.15 would store each of them twice (keras#23553).
  result = keras.export.ExportArchive()
  for name, (endpoint, spec) in zip(NAMES, _endpoints(score, class_names, size, preparation)):
    result.add_endpoint(name, endpoint, [spec])
  return result


def _endpoints(score, names, size, preparation):
  """The (function, input) of each of NAMES."""
  import tensorflow as tf

  def answer(image):
    probabilities = score(image)
    class_id = tf.argmax(probabilities, -1, output_type=tf.int32)
    label = tf.gather(tf.constant(names), class_id)
    return {"probabilities": probabilities, "class_id": class_id, "label": label}

  def answer_bytes(image_bytes):
    return answer(_decode(image_bytes, preparation))

  def classify(inputs):
    features = {ENCODED: tf.io.FixedLenFeature([], tf.string)}
    examples = tf.io.parse_example(inputs, features)
    probabilities = score(_decode(examples[ENCODED], preparation))
    scores, order = tf.nn.top_k(probabilities, len(names))
    return {"classes": tf.gather(tf.constant(names), order), "scores": scores}

  return (
      (answer, tf.TensorSpec([None, *size, 3], tf.float32, "image")),
      (answer_bytes, tf.TensorSpec([None], tf.string, "image_bytes")),
      (classify, tf.TensorSpec([None], tf.string, "inputs")),
  )


def _decode(files, preparation):
  """Decodes image files to the pixels that scoring sees, float32."""
  import tensorflow as tf

  shape = preparation.image_shape
  pixels = tf.map_fn(
      lambda file: preparation_lib.pixels(file, preparation), files,
      fn_output_signature=tf.TensorSpec(shape, tf.uint8),
  )
  return tf.cast(pixels, tf.float32)
