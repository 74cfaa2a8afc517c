"""Runs a servable in a process that has nothing of ours: `python -I clean_process.py DIR IN OUT`.

It goes through the C++ loader that the model server calls (by the C API) and through a TensorFlow 1
session. IN and OUT are .npz files: inputs by name, outputs by `loader/signature/output`.
"""

import ctypes
import pathlib
import sys

import numpy as np


class _Blocker:
  def find_spec(self, name, path=None, target=None):
    """Refuses the package under test."""
    del path, target
    if name.split(".")[0] == "tfdynnas":
      raise ImportError(f"{name} must not be needed")


sys.meta_path.insert(0, _Blocker())
import tensorflow as tf  # noqa: E402  Before the library is opened, else it crashes.

FLOAT, INT32, STRING = 1, 3, 7
BYTES = {FLOAT: np.float32, INT32: np.int32}
POINTER = ctypes.c_void_p


class _Output(ctypes.Structure):
  _fields_ = [("operation", POINTER), ("index", ctypes.c_int)]


class _Buffer(ctypes.Structure):
  _fields_ = [("data", POINTER), ("length", ctypes.c_size_t), ("free", POINTER)]


class Loader:
  """A model loaded by tensorflow::LoadSavedModel."""

  def __init__(self, folder):
    self._c = ctypes.CDLL(str(pathlib.Path(tf.__file__).parent / "libtensorflow_cc.so.2"))
    self._status = POINTER(self._call("TF_NewStatus"))
    graph, buffer = POINTER(self._call("TF_NewGraph")), _Buffer()
    options = POINTER(self._call("TF_NewSessionOptions"))
    tags = (ctypes.c_char_p * 1)(b"serve")
    session = self._call("TF_LoadSessionFromSavedModel", options, None, str(folder).encode(), tags,
                         1, graph, ctypes.byref(buffer), self._status)
    self._check()
    self._graph, self._session = graph, POINTER(session)
    message = ctypes.string_at(buffer.data, buffer.length)
    self.signatures = tf.compat.v1.MetaGraphDef.FromString(message).signature_def

  def run(self, name, value):
    """Outputs of a signature with one input."""
    signature = self.signatures[name]
    (source,) = signature.inputs.values()
    names = sorted(signature.outputs)
    inputs = (_Output * 1)(self._output(source.name))
    values = (POINTER * 1)(self._tensor(value))
    outputs = (_Output * len(names))(*[self._output(signature.outputs[n].name) for n in names])
    results = (POINTER * len(names))()
    self._call("TF_SessionRun", self._session, None, inputs, values, 1, outputs, results,
               len(names), None, 0, None, self._status)
    self._check()
    return {n: self._array(POINTER(result)) for n, result in zip(names, results)}

  def _call(self, name, *arguments):
    function = getattr(self._c, name)
    function.restype = POINTER
    return function(*arguments)

  def _check(self):
    if self._call("TF_GetCode", self._status):
      raise RuntimeError(ctypes.string_at(self._call("TF_Message", self._status)).decode())

  def _output(self, name):
    operation, index = name.split(":")
    found = self._call("TF_GraphOperationByName", self._graph, operation.encode())
    assert found, name
    return _Output(found, int(index))

  def _tensor(self, value):
    kind = STRING if value.dtype.kind == "O" else FLOAT
    size = 24 * value.size if kind == STRING else value.nbytes
    shape = (ctypes.c_int64 * value.ndim)(*value.shape)
    size = ctypes.c_size_t(size)
    tensor = self._call("TF_AllocateTensor", kind, shape, value.ndim, size)
    data = self._call("TF_TensorData", POINTER(tensor))
    if kind == FLOAT:
      ctypes.memmove(data, np.ascontiguousarray(value).ctypes.data, value.nbytes)
    else:
      for number, text in enumerate(value.ravel()):
        place = POINTER(data + 24 * number)
        self._call("TF_StringInit", place)
        self._call("TF_StringCopy", place, text, ctypes.c_size_t(len(text)))
    return tensor

  def _array(self, tensor):
    kind = self._call("TF_TensorType", tensor)
    rank = self._call("TF_NumDims", tensor) or 0
    shape = [self._call("TF_Dim", tensor, axis) or 0 for axis in range(rank)]
    data = self._call("TF_TensorData", tensor)
    if kind != STRING:
      count = int(np.prod(shape)) * 4
      return np.frombuffer(ctypes.string_at(data, count), BYTES[kind]).reshape(shape)
    places = [POINTER(data + 24 * number) for number in range(int(np.prod(shape)))]
    texts = [ctypes.string_at(self._call("TF_StringGetDataPointer", place),
                              self._call("TF_StringGetSize", place) or 0) for place in places]
    return np.array(texts).reshape(shape)


def session_runner(folder):
  """A function like Loader.run that goes through a TensorFlow 1 session."""
  session = tf.compat.v1.Session(graph=tf.Graph())
  meta = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))

  def run(name, value):
    signature = meta.signature_def[name]
    (source,) = signature.inputs.values()
    outputs = {key: output.name for key, output in signature.outputs.items()}
    found = session.run(outputs, {source.name: value})
    return {key: np.array(v.tolist()) if v.dtype == object else v for key, v in found.items()}

  return run


def main(folder, source, target):
  """Runs every input through its signature, both ways."""
  runners = {"c": Loader(folder).run, "session": session_runner(folder)}
  results = {}
  for name, value in np.load(source, allow_pickle=True).items():
    for way, run in runners.items():
      results |= {f"{way}/{name}/{key}": output for key, output in run(name, value).items()}
  assert "tfdynnas" not in sys.modules
  np.savez(target, **results)


if __name__ == "__main__":
  main(*sys.argv[1:])
