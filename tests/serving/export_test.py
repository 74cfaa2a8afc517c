"""What is served: the same numbers as the Keras model's, in processes that have nothing of ours."""

import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from PIL import Image

from tfdynnas import errors
from tfdynnas import serving

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

ROOT = pathlib.Path(serving.__file__).resolve().parents[2]
NAMES = ("ant", "bee", "caterpillar", "ö")
MEAN, STD = np.float32([120, 110, 100]), np.float32([60, 50, 40])
CARD = {
    "dataset": "digits", "space": "nasbench201", "arch": (1, 2), "string": "|a~0|+|b~0|c~1|",
    "params": 1234567, "accuracies": {"test": 0.912}, "seed": np.int64(3), "remark": "small",
}


def _model(width=8, policy="float32", classes=4, size=(8, 6), seed=1):
  keras.utils.set_random_seed(seed)
  dtype = keras.DTypePolicy(policy)
  image = keras.Input((*size, 3))
  x = keras.layers.Conv2D(width, 3, padding="same", dtype=dtype)(image)
  x = keras.layers.BatchNormalization(dtype=dtype)(x)
  x = keras.layers.AveragePooling2D(3, 1, "same", dtype=dtype)(keras.layers.ReLU(dtype=dtype)(x))
  x = keras.layers.GlobalAveragePooling2D(dtype=dtype)(x)
  model = keras.Model(image, keras.layers.Dense(classes, dtype=dtype)(x))
  rng = np.random.default_rng(seed)
  for variable in model.variables:  # Moving statistics that are not those of a fresh layer.
    variable.assign(rng.uniform(0.1, 1.0, variable.shape) * rng.choice([1, 1, -1]))
  model.layers[2].moving_variance.assign(np.full(width, 0.5))
  return model


def _expected(model, images):
  logits = model((images.astype(np.float32) - MEAN) / STD, training=False)
  return tf.nn.softmax(tf.cast(logits, tf.float32)).numpy()


def _images(count=3, size=(8, 6)):
  return np.random.default_rng(5).integers(0, 256, (count, *size, 3)).astype(np.uint8)


def _example(file):
  feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[file]))
  return tf.train.Example(
      features=tf.train.Features(feature={"image/encoded": feature})).SerializeToString()


def _export(model, base, **changes):
  arguments = {"name": "insects", "class_names": NAMES, "mean": MEAN, "std": STD, "card": CARD}
  return serving.export(model, base, **(arguments | changes))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
  """(model, path of its version)."""
  model = _model()
  return model, _export(model, tmp_path_factory.mktemp("served"))


@pytest.mark.parametrize("way", ["c", "session"])
def test_every_signature_gives_the_models_probabilities(outputs, way):
  expected, found = outputs
  order = np.argsort(-expected, axis=1, kind="stable")
  best = np.array([NAMES[row[0]].encode() for row in order])
  for signature in ("serving_default", "image_bytes"):
    key = f"{way}/{signature}"
    np.testing.assert_allclose(found[f"{key}/probabilities"], expected, atol=1e-5)
    np.testing.assert_array_equal(found[f"{key}/class_id"], order[:, 0])
    assert found[f"{key}/class_id"].dtype == np.int32
    np.testing.assert_array_equal(found[f"{key}/label"], best)
  names = np.array([name.encode() for name in NAMES])
  np.testing.assert_array_equal(found[f"{way}/classify/classes"], names[order])
  np.testing.assert_allclose(found[f"{way}/classify/scores"], -np.sort(-expected), atol=1e-5)
  assert len(found) == 2 * 8


@pytest.fixture(scope="module")
def outputs(served, tmp_path_factory):
  """(expected probabilities, outputs of a process without the package)."""
  model, path = served
  folder, images = tmp_path_factory.mktemp("clean"), _images()
  files = np.array([tf.io.encode_png(image).numpy() for image in images], object)
  np.savez(folder / "in.npz", serving_default=images.astype(np.float32), image_bytes=files,
           classify=np.array([_example(file) for file in files], object))
  script = pathlib.Path(__file__).with_name("clean_process.py")
  subprocess.run([sys.executable, "-I", script, path, "in.npz", "out.npz"], cwd=folder, check=True)
  with np.load(folder / "out.npz") as found:
    return _expected(model, images), dict(found)


def test_signatures_name_their_inputs_and_outputs(served):
  loaded = tf.saved_model.load(str(served[1]))
  inputs = {name: loaded.signatures[name].structured_input_signature[1]
            for name in loaded.signatures}
  assert inputs == {
      "serving_default": {"image": tf.TensorSpec((None, 8, 6, 3), tf.float32, "image")},
      "image_bytes": {"image_bytes": tf.TensorSpec((None,), tf.string, "image_bytes")},
      "classify": {"inputs": tf.TensorSpec((None,), tf.string, "inputs")},
  }
  for name, signature in loaded.signatures.items():
    keys = {"classes", "scores"} if name == "classify" else {"probabilities", "class_id", "label"}
    assert set(signature.structured_outputs) == keys
    assert not [key for key in keys if key.endswith("_bytes")]  # REST would send base64.


def test_the_graph_holds_the_models_variables_and_no_more(served):
  model, path = served
  stored = [name for name, _ in tf.train.list_variables(str(path / "variables/variables"))
            if name.endswith("VARIABLE_VALUE")]
  assert len(stored) == len(model.variables)


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "bmp"])
def test_image_files_of_any_kind_and_size(served, kind):
  model, path = served
  pixels = tf.image.resize(_images(1, (4, 3)), (20, 30)).numpy().astype(np.uint8)[0]
  file, frames = io.BytesIO(), [Image.fromarray(pixels), Image.fromarray(255 - pixels)]
  more = {"save_all": True, "append_images": frames[1:]} if kind == "gif" else {}
  frames[0].save(file, kind, **more)
  decoded = np.array(Image.open(io.BytesIO(file.getvalue())).convert("RGB"))
  loaded = tf.saved_model.load(str(path))
  answer = loaded.signatures["image_bytes"](image_bytes=tf.constant([file.getvalue()]))
  resized = np.round(tf.image.resize(decoded[None], (8, 6), antialias=True).numpy())
  difference = np.abs(answer["probabilities"] - _expected(model, resized)).max()
  assert difference < (0.02 if kind == "jpeg" else 1e-5)  # Two decoders of JPEG may round apart.


def test_a_half_precision_model_answers_in_float32(tmp_path):
  model = _model(policy="mixed_bfloat16")
  path, images = _export(model, tmp_path), _images()
  answer = tf.saved_model.load(str(path)).signatures["serving_default"](
      image=tf.constant(images, tf.float32))
  assert answer["probabilities"].dtype == tf.float32
  np.testing.assert_allclose(answer["probabilities"], _expected(model, images), atol=0.02)
  np.testing.assert_allclose(tf.reduce_sum(answer["probabilities"], 1), np.ones(3), atol=1e-6)


def test_warm_up_requests_run(served):
  logs = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2",
                             reason="needs tensorflow-serving-api")
  path = served[1]
  loaded, seen = tf.saved_model.load(str(path)), []
  for record in tf.data.TFRecordDataset(str(path / "assets.extra/tf_serving_warmup_requests")):
    log = logs.PredictionLog.FromString(record.numpy())
    request = getattr(log, log.WhichOneof("log_type")).request
    seen.append((log.WhichOneof("log_type"), request.model_spec.signature_name))
    assert request.model_spec.name == "insects"
    signature = loaded.signatures[request.model_spec.signature_name]
    if seen[-1][0] == "predict_log":
      signature(**{key: tf.make_ndarray(value) if value.dtype != 7 else
                   tf.constant(value.string_val) for key, value in request.inputs.items()})
    else:
      examples = request.input.example_list.examples
      signature(inputs=tf.constant([example.SerializeToString() for example in examples]))
  assert seen == [("predict_log", "serving_default"), ("predict_log", "image_bytes"),
                  ("classify_log", "classify")]


def test_without_the_serving_api_the_card_says_so(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
  monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
  path = _export(_model(), tmp_path)
  assert not (path / "assets.extra").exists()
  assert "tensorflow-serving-api was not installed" in (path / "model_card.md").read_text()


def test_model_card_and_arch_json(served):
  text = (served[1] / "model_card.md").read_text("utf-8")
  for part in ("1 234 567", "91.20% (test)", "`|a~0|+|b~0|c~1|`", "* seed: 3", "* remark: small",
               "* licence of the data: not stated", "tensorflow/serving",
               f"keras {keras.__version__}", f"tensorflow {tf.__version__}", "0..255"):
    assert part in text
  values = json.loads((served[1] / "arch.json").read_text("utf-8"))
  assert values["arch"] == [1, 2] and values["class_names"] == list(NAMES)
  assert values["image_size"] == [8, 6] and values["mean"] == MEAN.tolist()


def test_the_cards_commands_send_what_the_server_reads(served, tmp_path):
  text = (served[1] / "model_card.md").read_text("utf-8")
  blocks = [part.split("```")[0] for part in text.split("```sh\n")[1:]]
  (tmp_path / "curl").write_text("#!/bin/sh\ncat\necho\n")
  (tmp_path / "curl").chmod(0o755)
  (tmp_path / "photo.png").write_bytes(tf.io.encode_png(_images()[0]).numpy())
  result = subprocess.run(["sh", "-c", "".join(blocks[1:])], cwd=tmp_path, capture_output=True,
                          text=True, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
  pixels, predict, classify = [json.loads(line) for line in result.stdout.split("\n") if line]
  assert np.shape(pixels["instances"]) == (1, 8, 6, 3)
  assert predict["signature_name"] == "image_bytes" and set(predict["instances"][0]) == {"b64"}
  assert set(classify["examples"][0]) == {"image/encoded"}


@pytest.mark.parametrize("changes, words", [
    ({"name": ""}, "name"), ({"name": ".."}, "name"), ({"name": "a/b"}, "name"),
    ({"name": "a\n"}, "name"), ({"name": None}, "name"),
    ({"class_names": NAMES[:3]}, "3 names for 4"), ({"class_names": "abcd"}, "strings"),
    ({"class_names": range(4)}, "strings"), ({"class_names": (*NAMES[:3], "a\x1b")}, "one line"),
    ({"class_names": (*NAMES[:3], "\udc80")}, "UTF-8"), ({"mean": [1, 2]}, "three numbers"),
    ({"std": [1, 0, 1]}, "> 0"), ({"std": [1, np.nan, 1]}, "three numbers"),
    ({"mean": "x"}, "numbers"), ({"version": 0}, "2**63"), ({"version": "1"}, "int"),
    ({"card": {"seed": float("nan")}}, "JSON"), ({"card": {"arch": object()}}, "JSON"),
    ({"card": None}, "dict"),
])
def test_unusable_arguments_leave_nothing(served, tmp_path, changes, words):
  with pytest.raises(errors.InputError, match=words.replace("*", r"\*")) as caught:
    _export(served[0], tmp_path / "base", **changes)
  assert "\n" not in str(caught.value)
  assert not list(tmp_path.iterdir())


def test_unusable_models(tmp_path):
  image = keras.Input((None, None, 3))
  pooled = keras.layers.GlobalAveragePooling2D()(image)
  for model in (keras.Model(image, pooled), keras.Sequential([keras.layers.Dense(4)]), object()):
    with pytest.raises(errors.InputError, match="fixed sizes"):
      _export(model, tmp_path / "base")
  assert not list(tmp_path.iterdir())


def test_a_model_whose_answers_depend_on_the_batch(tmp_path):
  image = keras.Input((8, 6, 3))
  centred = keras.layers.Lambda(lambda x: x - keras.ops.mean(x, 0))(image)
  pooled = keras.layers.GlobalAveragePooling2D()(centred)
  with pytest.raises(errors.InputError, match="batch statistics"):
    _export(keras.Model(image, keras.layers.Dense(4)(pooled)), tmp_path / "base")
  assert not list(tmp_path.iterdir())


def test_destination_that_is_a_file(served, tmp_path):
  (tmp_path / "file").touch()
  with pytest.raises(OSError) as caught:
    _export(served[0], tmp_path / "file")
  assert "\n" not in str(caught.value)
  assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_check_sees_other_probabilities(served):
  model, path = served
  images = _images()
  expected = _expected(model, images)
  assert serving.check(path, images, expected) < 1e-5
  for wrong in (expected + 1e-3, expected * np.nan):
    with pytest.raises(RuntimeError, match="other probabilities"):
      serving.check(path, images, wrong)


def test_a_graph_unlike_its_model_is_not_published(tmp_path):
  model = _model()
  model.layers[1].kernel.assign(np.full(model.layers[1].kernel.shape, np.nan))
  with pytest.raises(RuntimeError, match="other probabilities"):
    _export(model, tmp_path / "base")
  assert not list(tmp_path.iterdir())


def _export_process(folder, before=""):
  """Starts a process that exports a model of 5 MB to `folder`/base."""
  code = f"""
      import sys
      sys.path[:0] = {[str(ROOT), str(pathlib.Path(__file__).parent)]}
      import export_test
      model = export_test._model(width=140000)
      {before}
      try:
        print(export_test._export(model, {str(folder / "base")!r}))
      except OSError as error:
        print("OSError", error)
  """
  return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=folder,
                          stdout=subprocess.PIPE, text=True)


def test_a_killed_export_leaves_no_version_and_its_draft_goes_next_time(served, tmp_path):
  process, home = _export_process(tmp_path), tmp_path / "base" / "insects"
  deadline = time.monotonic() + 120
  while not list(home.glob(".tmp-*/*")):
    assert process.poll() is None and time.monotonic() < deadline
    time.sleep(0.001)
  process.send_signal(signal.SIGKILL)
  process.communicate()
  (draft,) = home.iterdir()
  assert draft.name.startswith(f".tmp-1-{process.pid}-")
  assert _export(served[0], tmp_path / "base") == home / "1"
  assert [entry.name for entry in home.iterdir()] == ["1"]


def test_a_full_disk_leaves_nothing(tmp_path):
  limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))"
  process = _export_process(tmp_path, limit)
  printed, _ = process.communicate(timeout=120)
  assert process.returncode == 0
  assert printed.startswith("OSError") and printed.count("\n") == 1
  assert not list(tmp_path.iterdir())
