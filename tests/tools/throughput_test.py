"""The masked variant of the benchmark computes what the switch does."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import small_cells
from tests import small_layers
from tfdynnas import supernet as supernet_lib
from tfdynnas.backend import control_flow
from tfdynnas.tools import throughput


@pytest.mark.parametrize(
    "space", [small_cells.SPACE, small_layers.SPACE], ids=lambda space: space.name)
def test_masked_archs_have_the_logits_of_the_switch(monkeypatch, space):
  size = space.skeleton.image_size
  images = np.random.default_rng(0).normal(size=[8, size, size, 3]).astype(np.float32)
  rng, calls = np.random.default_rng(1), []

  def masked(*args):
    calls.append(args)
    return throughput.masked_switch(*args)

  archs = [space.sample(rng) for _ in range(3)]
  expected = [supernet_lib.Supernet(space)(images, arch=arch) for arch in archs]
  monkeypatch.setattr(control_flow, "switch", masked)
  supernet = supernet_lib.Supernet(space)
  for arch, logits in zip(archs, expected):
    np.testing.assert_allclose(
        ops.convert_to_numpy(supernet(images, arch=arch)), ops.convert_to_numpy(logits), atol=1e-4)
  assert calls and keras.backend.backend() == "tensorflow"
