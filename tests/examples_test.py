"""The examples in the docstrings of the front door run.

Each finds `nas`, `np`, `keras` and `tf`; `data`, the digits; a small `space`, a `supernet` of it
and a `network` of one arch; in a folder with images, `photos/CLASS/*.png`, with a set of tfds
and with a run, `runs/digits`.
"""

import inspect
import re
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

import tfdynnas as nas
from tests import front_door
from tfdynnas.data.images import pixels


def _example(text):
  """The code of the section `Example:` of a docstring, which is its last; None without one."""
  _, there, code = inspect.cleandoc(text or "").partition("\nExample:\n")
  return textwrap.dedent(re.split(r"\n(?=\S)", code)[0]) if there else None


EXAMPLES = {name: _example(found.__doc__) for name, found in front_door.objects()}
METHODS = {name: _example(found.__doc__) for name, found in front_door.functions()
           if name not in EXAMPLES}
RUN = {name: code for name, code in {**EXAMPLES, **METHODS}.items() if code}


def _write_images(folder, part):
  for number, gray in enumerate(part.images[:24, ..., 0]):
    path = folder / "photos" / ("cat", "dog")[number % 2] / f"{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pixels.png(gray))
  images = tf.data.Dataset.from_tensor_slices(
      {"image": part.images[:24], "label": part.labels[:24] % 2})
  tfds.dataset_builders.store_as_tfds_dataset(
      name="my_images", version="1.0.0", data_dir=str(folder / "prepared"),
      split_datasets={"train": images}, features=tfds.features.FeaturesDict({
          "image": tfds.features.Image(shape=(8, 8, 3)),
          "label": tfds.features.ClassLabel(num_classes=2)}))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
  """What each example finds."""
  data, space = nas.data.digits(), nas.spaces.nasbench201(channels=4, cells=1, image_size=8)
  supernet = nas.Supernet(space)
  supernet.compile(nas.MS(nas.CaLR(0.05)), method=nas.SinglePath())
  network = supernet.subnet(space.largest(), images=(data.train.images[:64] - data.mean) / data.std)
  folder = tmp_path_factory.mktemp("examples")
  _write_images(folder, data.valid)
  supernet.fit(data, batch_size=256, run_dir=folder / "runs" / "digits", verbose=0)
  with pytest.MonkeyPatch.context() as patch:
    patch.chdir(folder)
    yield {"nas": nas, "np": np, "keras": keras, "tf": tf, "data": data, "space": space,
           "supernet": supernet, "network": network}


def test_every_name_has_an_example():
  assert len(EXAMPLES) > 50
  assert [name for name, code in EXAMPLES.items() if not code] == []


@pytest.mark.parametrize("name", RUN)
def test_the_example_runs(shared, name):
  exec(compile(RUN[name], f"example of {name}", "exec"), dict(shared))
