"""Runs files for devices where there is nothing of ours, nor TensorFlow: `python -I FILE IN OUT`.

FILE is this script's first argument, a .tflite, .onnx or the folder of a SavedModel; IN and OUT are
.npy files of images and probabilities. What the file says of its classes is printed.
"""

import sys
import zipfile

import numpy as np

ABSENT = {"tfdynnas", "tensorflow", "keras", "jax"}


class _Blocker:
  def find_spec(self, name, path=None, target=None):
    """Refuses what a device does not have."""
    del path, target
    if name.split(".")[0] in ABSENT:
      raise ImportError(f"{name} must not be needed")


def run_litert(path, images):
  """(probabilities, class names)."""
  from ai_edge_litert import interpreter

  runner = interpreter.Interpreter(path).get_signature_runner()
  names = zipfile.ZipFile(path).read("labels.txt").decode()
  return runner(image=images)["probabilities"], names.split()


def run_onnx(path, images):
  """(probabilities, class names)."""
  import onnxruntime

  session = onnxruntime.InferenceSession(path)
  names = session.get_modelmeta().custom_metadata_map["labels.txt"]
  return session.run(["probabilities"], {"image": images})[0], names.split()


def run_openvino(path, images):
  """(probabilities, labels of the images): a reader of the SavedModel that nobody here wrote."""
  import openvino

  model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
  result = model({"image": images})
  return result["probabilities"], list(result["label"])


READERS = {"tflite": run_litert, "onnx": run_onnx}


if __name__ == "__main__":
  sys.meta_path.insert(0, _Blocker())
  file, source, target = sys.argv[1:]
  probabilities, names = READERS.get(file.rpartition(".")[2], run_openvino)(file, np.load(source))
  assert not ABSENT & set(sys.modules)
  np.save(target, probabilities)
  print(",".join(names))
