"""Files of ONNX: for ONNX Runtime and the many other readers of the format."""

import pathlib
import tempfile
import warnings

import numpy as np

from tfdynnas.serving import formats


def _write(model, path, calibration=None):
  with tempfile.TemporaryDirectory(dir=pathlib.Path(path).parent) as folder, \
       warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # Keras asks numpy for `object`.
    written = path if calibration is None else pathlib.Path(folder) / "float.onnx"
    model(np.zeros((1, *model.input_shape[1:]), np.float32))  # Keras exports what was called.
    model.export(str(written), format="onnx", verbose=False)
    if calibration is not None:
      _quantise(written, path, calibration)


def _quantise(written, path, calibration):
  """Writes a float32 file in int8, a scale for each channel of a kernel."""
  from onnxruntime import quantization

  class Reader(quantization.CalibrationDataReader):
    """The calibration, an image at a time."""

    def __init__(self):
      self._values = iter(calibration)

    def get_next(self):
      value = next(self._values, None)
      return None if value is None else {name: value[None]}

  name = _session(written).get_inputs()[0].name
  fused = written.with_name("fused.onnx")  # Normalisations become parts of convolutions.
  quantization.quant_pre_process(written, fused, skip_symbolic_shape=True)
  quantization.quantize_static(fused, path, Reader(), per_channel=True)


def _describe(path, texts):
  import onnx

  model = onnx.load(path)
  onnx.helper.set_model_props(model, texts)
  onnx.save(model, path)


def _read(path, threads=None):
  session = _session(path, threads)
  name = session.get_inputs()[0].name
  return lambda values: session.run(None, {name: values})[0]


def _session(path, threads=None):
  import onnxruntime

  options = onnxruntime.SessionOptions()
  options.intra_op_num_threads = threads or 0
  options.log_severity_level = 3  # Errors.
  return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


FORMAT = formats.Format(
    suffix=".onnx", runtime="ONNX Runtime", packages=("tf2onnx", "onnx", "onnxruntime"),
    write=_write, describe=_describe, read=_read,
)
