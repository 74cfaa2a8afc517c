"""The examples in the docstrings of the front door run.

Each begins with `nas`, `np` and `keras`, and with `data`, `space`, `supernet` and `network` of one
small training, in a folder that holds `photos/CLASS/*.png`.
"""

import inspect
import re
import textwrap

import keras
import numpy as np
import pytest

import tfdynnas as nas
from tests import front_door
from tfdynnas.data.images import pixels


def _example(text):
  """The code of the section `Example:` of a docstring, which is its last; None without one."""
  _, there, code = inspect.cleandoc(text or "").partition("\nExample:\n")
  return textwrap.dedent(re.split(r"\n(?=\S)", code)[0]) if there else None


EXAMPLES = {name: _example(found.__doc__) for name, found in front_door.objects()}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
  """What each example finds."""
  data, space = nas.data.digits(), nas.spaces.nasbench201(channels=4, cells=1, image_size=8)
  supernet = nas.Supernet(space)
  supernet.compile(nas.MS(nas.CaLR(0.05)), method=nas.SinglePath())
  supernet.fit(data, batch_size=256, verbose=0)
  network = supernet.subnet(space.largest(), images=(data.train.images[:64] - data.mean) / data.std)
  folder = tmp_path_factory.mktemp("examples")
  for number, gray in enumerate(data.valid.images[:24, ..., 0]):
    path = folder / "photos" / ("cat", "dog")[number % 2] / f"{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pixels.png(gray))
  with pytest.MonkeyPatch.context() as patch:
    patch.chdir(folder)
    yield {"nas": nas, "np": np, "keras": keras, "data": data, "space": space,
           "supernet": supernet, "network": network}


def test_every_name_has_an_example():
  assert len(EXAMPLES) > 50
  assert [name for name, code in EXAMPLES.items() if not code] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_runs(shared, name):
  exec(compile(EXAMPLES[name] or "", f"example of {name}", "exec"), dict(shared))
