"""Files of LiteRT, once TensorFlow Lite: for phones and boards."""

import zipfile

from tfdynnas.serving import formats
from tfdynnas.serving.formats import quiet


def _write(model, path, calibration=None):
  import tensorflow as tf

  settings = {}
  if calibration is not None:
    kinds = tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS
    settings = {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "representative_dataset": lambda: ([value[None]] for value in calibration),
        "target_spec": {"supported_ops": list(kinds)},  # The softmax may stay in float32.
    }
  with quiet.quiet():
    model.export(str(path), format="litert", verbose=False, **settings)


def _describe(path, texts):
  # As in TensorFlow Lite's metadata: files that belong to a model are a zip at its end.
  with zipfile.ZipFile(path, "a") as archive:
    for name, text in texts.items():
      archive.writestr(name, text)


def _read(path, threads=None):
  from ai_edge_litert import interpreter

  with quiet.quiet():
    runtime = interpreter.Interpreter(str(path), num_threads=threads)
  (source,), (result,) = runtime.get_input_details(), runtime.get_output_details()
  shape = None

  def call(values):
    nonlocal shape
    if values.shape != shape:
      shape = values.shape
      runtime.resize_tensor_input(source["index"], shape)
      with quiet.quiet():
        runtime.allocate_tensors()
    runtime.set_tensor(source["index"], values)
    runtime.invoke()
    return runtime.get_tensor(result["index"])

  return call


FORMAT = formats.Format(
    suffix=".tflite", runtime="LiteRT", packages=("ai_edge_litert",), write=_write,
    describe=_describe, read=_read,
)
