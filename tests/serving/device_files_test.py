"""Files for devices: the model's numbers in processes that have only the runtime."""

import dataclasses
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import tfdynnas as nas
from tfdynnas import errors
from tfdynnas import registry
from tfdynnas.serving import device_files
from tfdynnas.serving import formats
from tfdynnas.serving.formats import onnx

keras = pytest.importorskip("keras")

FORMATS = ("saved_model", "litert", "onnx")
FILES = ("model.tflite", "model.int8.tflite", "model.onnx", "model.int8.onnx")


@pytest.fixture(scope="module")
def data():
  """Digits as images of 8x8."""
  return nas.data.load("digits")


def _network(policy="float32"):
  """A network with the layers of both spaces: separable and plain convolutions, a residual."""
  keras.utils.set_random_seed(3)
  image = keras.Input((8, 8, 3))
  x = keras.layers.Conv2D(8, 3, padding="same", use_bias=False, dtype=policy)(image)
  x = keras.layers.ReLU(6)(keras.layers.BatchNormalization()(x))
  y = keras.layers.DepthwiseConv2D(5, padding="same", use_bias=False)(x)
  y = keras.layers.Conv2D(8, 1)(keras.layers.BatchNormalization()(y))
  x = keras.layers.AveragePooling2D(3, 1, "same")(keras.layers.Add()([x, y]))
  return keras.Model(image, keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(x)))


@pytest.fixture(scope="module")
def exported(data, tmp_path_factory):
  """(version, the network), of which all files were written."""
  network = _network()
  network.compile(keras.optimizers.Adam(0.01), nas.losses.crossentropy())
  network.fit(data.batches("train", 64), epochs=3, verbose=0)
  path = tmp_path_factory.mktemp("served") / "digits"
  return nas.export(network, path, data, format=FORMATS, quantize="int8"), network


def _elsewhere(file, images, folder):
  """(probabilities, what was printed) of a file in a process with nothing but its runtime."""
  script = pathlib.Path(__file__).with_name("device_process.py")
  source, target = folder / "images.npy", folder / "probabilities.npy"
  np.save(source, images)
  done = subprocess.run([sys.executable, "-I", script, file, source, target], capture_output=True,
                        text=True, check=False)
  assert done.returncode == 0, done.stderr
  return np.load(target), done.stdout.splitlines()[-1].split(",")


def _expected(network, data, images):
  logits = network((images - data.mean) / data.std, training=False)
  return np.asarray(keras.ops.softmax(logits))


@pytest.mark.parametrize("name", FILES)
def test_a_file_needs_only_its_runtime(exported, data, tmp_path, name):
  version, network = exported
  images = data.test.images[:50].astype(np.float32)
  found, names = _elsewhere(version / name, images, tmp_path)
  wanted = _expected(network, data, images)
  assert names == list(data.class_names)
  if "int8" not in name:
    np.testing.assert_allclose(found, wanted, atol=1e-5)
  assert np.mean(found.argmax(-1) == wanted.argmax(-1)) > 0.9
  assert np.max(np.abs(found.sum(-1) - 1)) < 0.02


def test_openvino_reads_the_saved_model_and_its_labels(exported, data, tmp_path):
  version, network = exported
  images = data.test.images[:20].astype(np.float32)
  found, labels = _elsewhere(version, images, tmp_path)
  wanted = _expected(network, data, images)
  np.testing.assert_allclose(found, wanted, atol=1e-5)
  assert labels == [data.class_names[label] for label in wanted.argmax(-1)]


def test_the_card_says_what_int8_costs(exported, data, tmp_path):
  version, network = exported
  facts = json.loads((version / "arch.json").read_text())["other_files"]
  assert tuple(facts) == FILES and {file["images"] for file in facts.values()} == {data.test.size}
  images = data.test.images.astype(np.float32)
  wanted = _expected(network, data, images).argmax(-1)
  assert facts["model.tflite"]["accuracy"] == np.mean(wanted == data.test.labels)
  for name in ("model.int8.tflite", "model.int8.onnx"):
    found = _elsewhere(version / name, images, tmp_path)[0].argmax(-1)
    assert facts[name]["accuracy"] == np.mean(found == data.test.labels)
    assert facts[name]["agreement"] == np.mean(found == wanted) < 1
    assert 1e-4 < facts[name]["difference"] < 0.5
  text = (version / "model_card.md").read_text("utf-8")
  assert f"| {facts['model.int8.onnx']['accuracy']:.2%} |" in text and "LiteRT" in text


@pytest.mark.parametrize("format, quantize, message", [
    (("litert",), "none", "`format` must be saved_model"),
    (("saved_model", "tflite"), "none", "and any of litert, onnx, each once"),
    (("saved_model", "onnx", "onnx"), "none", "each once"),
    (("saved_model",), "int8", "`quantize` needs a `format` for devices: litert, onnx"),
    (FORMATS, "int4", "`quantize` must be one of ('none', 'int8'). Received: int4"),
])
def test_what_cannot_be_written_is_refused(data, tmp_path, format, quantize, message):
  with pytest.raises(errors.InputError, match=re.escape(message)):
    nas.export(_network(), tmp_path / "none", data, format=format, quantize=quantize)
  assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
  monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
  with pytest.raises(errors.InputError, match=r"tfdynnas\[litert\]'. Received: no ai_edge_litert"):
    device_files.names(("saved_model", "litert"), "none")


class _OfTensorFlow(keras.layers.Layer):
  def call(self, inputs):
    """An operation that runs Python, which no device has."""
    import tensorflow as tf

    return tf.ensure_shape(tf.numpy_function(lambda x: x, [inputs], inputs.dtype), inputs.shape)


@pytest.mark.parametrize("format", ["litert", "onnx"])
def test_a_network_that_does_not_convert_leaves_nothing(data, tmp_path, format):
  image = keras.Input((8, 8, 3))
  x = keras.layers.GlobalAveragePooling2D()(_OfTensorFlow()(image))
  model = keras.Model(image, keras.layers.Dense(10)(x))
  with pytest.raises(errors.InputError, match="model.* needs layers that .* has. Received: "):
    nas.export(model, tmp_path / "none", data, format=("saved_model", format))
  assert not list(tmp_path.iterdir())


def test_half_precision_is_refused(data, tmp_path):
  with pytest.raises(errors.InputError, match="in float32. Received: layers in float16"):
    nas.export(_network("float16"), tmp_path / "half", data, format=("saved_model", "onnx"))
  assert not list(tmp_path.iterdir())


def test_a_file_with_other_numbers_does_not_appear(data, tmp_path, monkeypatch):
  other = formats.from_pixels(_network(), data.mean + 20, data.std)
  wrong = dataclasses.replace(onnx.FORMAT, write=lambda model, path, calibration: (
      onnx.FORMAT.write(other, path)))
  monkeypatch.setitem(registry.FORMATS, "wrong", wrong)
  with pytest.raises(RuntimeError, match="model.onnx must give the model's probabilities"):
    nas.export(_network(), tmp_path / "wrong", data, format=("saved_model", "wrong"))
  assert not list(tmp_path.iterdir())
