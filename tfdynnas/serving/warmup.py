"""Warm-up requests, which the server runs when it loads, so that the first client does not wait.

Source: TensorFlow Serving's g3doc/saved_model_warmup.md: a TFRecord of PredictionLog.
"""

from tfdynnas.serving import signatures

PATH = ("assets.extra", "tf_serving_warmup_requests")


def write(folder, name, size):
  """Writes one request for each signature, if tensorflow-serving-api is installed.

  Args:
    folder: pathlib.Path of the version.
    name: Name of the served model.
    size: (height, width) of its images.

  Returns:
    str, a sentence on the result.
  """
  import tensorflow as tf

  try:
    from tensorflow_serving.apis import prediction_log_pb2
  except ImportError:
    return ("No warm-up requests: tensorflow-serving-api was not installed "
            "(pip install tfdynnas[serving]).")
  path = folder.joinpath(*PATH)
  path.parent.mkdir(exist_ok=True)
  requests = _predict_requests(name, size) + _classify_requests(name, size)
  with tf.io.TFRecordWriter(str(path)) as writer:
    for kind, request in requests:
      log = prediction_log_pb2.PredictionLog()
      getattr(log, kind).request.CopyFrom(request)
      writer.write(log.SerializeToString())
  return f"The server warms up with {len(requests)} requests, one for each signature."


def _file(size):
  """A grey PNG file."""
  import tensorflow as tf

  return tf.io.encode_png(tf.fill([*size, 3], tf.constant(128, tf.uint8))).numpy()


def _predict_requests(name, size):
  import tensorflow as tf
  from tensorflow_serving.apis import predict_pb2

  values = {
      "serving_default": ("image", tf.fill([1, *size, 3], 128.0)),
      "image_bytes": ("image_bytes", tf.constant([_file(size)])),
  }
  requests = []
  for signature, (argument, value) in values.items():
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    request.inputs[argument].CopyFrom(tf.make_tensor_proto(value.numpy()))
    requests.append(("predict_log", request))
  return requests


def _classify_requests(name, size):
  from tensorflow_serving.apis import classification_pb2

  request = classification_pb2.ClassificationRequest()
  request.model_spec.name, request.model_spec.signature_name = name, "classify"
  example = request.input.example_list.examples.add()
  example.features.feature[signatures.ENCODED].bytes_list.value.append(_file(size))
  return [("classify_log", request)]
