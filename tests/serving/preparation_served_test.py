"""The servable sees what was scored: photographs of another ratio, turned ones, empty batches."""

import numpy as np
import pytest
from PIL import Image as image_lib

from tfdynnas import data
from tfdynnas import errors
from tfdynnas import serving
from tfdynnas.data.images import preparation

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

SIZE = 32


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
  """24 photographs of 96x256 whose middle says nothing of their ends; every third is turned."""
  folder, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
  turned = image_lib.Exif()
  turned[0x0112] = 8
  for number in range(24):
    name = folder / "ab"[number % 2]
    name.mkdir(exist_ok=True)
    blocks = rng.integers(0, 256, (3, 8, 3)).astype(np.uint8)
    pixels = blocks.repeat(32, axis=0).repeat(32, axis=1)
    image_lib.fromarray(pixels).save(
        name / f"{number}.jpg", quality=90, **({"exif": turned} if number % 3 == 0 else {}))
  return folder


def _model():
  image = keras.Input((SIZE, SIZE, 3))
  features = keras.layers.Conv2D(4, 5, strides=4)(image)
  return keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(features)))


@pytest.mark.parametrize("settings", [{"crop": "resized"}, {"resize": "pad"}], ids=str)
def test_files_get_the_answers_that_were_scored(photographs, tmp_path, settings):
  keras.utils.set_random_seed(1)
  model, loaded = _model(), data.from_folder(photographs, SIZE, **settings)
  examples = data.examples(loaded.test)
  path = serving.export(
      model, tmp_path, "mine", ["a", "b"], loaded.mean, loaded.std, {},
      preparation=loaded.preparation, examples=examples)
  files, scored = examples
  wanted = tf.nn.softmax(model((scored - loaded.mean) / loaded.std)).numpy()
  served = tf.saved_model.load(str(path))
  found = served.signatures["image_bytes"](image_bytes=tf.constant(files))["probabilities"]
  np.testing.assert_allclose(found, wanted, atol=1e-5)
  squashed = preparation.Preparation(size=SIZE)  # What the servable did before: other answers.
  others = np.stack([preparation.pixels(file, squashed).numpy() for file in files])
  assert np.abs(others.astype(int) - scored).max() > 100
  assert f"Compared on {len(files)} image files" in (path / "model_card.md").read_text("utf-8")
  _check_empty(served)


def _check_empty(served):
  empty = {
      "serving_default": {"image": tf.zeros([0, SIZE, SIZE, 3])},
      "image_bytes": {"image_bytes": tf.constant([], tf.string)},
      "classify": {"inputs": tf.constant([], tf.string)},
  }
  for name, given in empty.items():
    for key, value in served.signatures[name](**given).items():
      assert value.shape[0] == 0, (name, key)


def test_a_servable_that_sees_other_pixels_does_not_appear(photographs, tmp_path):
  loaded = data.from_folder(photographs, SIZE, crop="resized")
  with pytest.raises(RuntimeError, match="must see what was scored. Received: pixels that differ"):
    serving.export(
        _model(), tmp_path, "mine", ["a", "b"], loaded.mean, loaded.std, {},
        preparation=preparation.Preparation(size=SIZE), examples=data.examples(loaded.test))
  assert not list(tmp_path.glob("mine/*"))


def test_a_preparation_of_another_size_is_refused(tmp_path):
  with pytest.raises(errors.InputError, match="size, \\(32, 32\\). Received: \\(8, 8\\)"):
    serving.export(_model(), tmp_path, "mine", ["a", "b"], [0] * 3, [1] * 3, {},
                   preparation=preparation.Preparation(size=8))
