"""Mixed precision: the same ranking as in float32."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from tests import small_layers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib

CELLS = spaces.nasbench201(channels=4, cells=1, image_size=8)
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=[32, 8, 8, 3]).astype(np.float32)
LABELS = RNG.integers(0, 10, 32).astype(np.int32)


@pytest.mark.parametrize("space", [CELLS, small_layers.SPACE], ids=lambda space: space.name)
def test_archs_rank_as_in_float32(space):
  wide = supernet_lib.Supernet(space, seed=1)
  narrow = supernet_lib.Supernet(space, seed=1, dtype="mixed_bfloat16")
  rng = np.random.default_rng(2)
  losses, far = {}, []
  for arch in {space.sample(rng) for _ in range(24)}:
    logits = [ops.convert_to_numpy(net(IMAGES, arch=arch)) for net in (wide, narrow)]
    assert logits[1].dtype == np.float32
    far.append(np.abs(logits[0] - logits[1]).max() / np.abs(logits[0]).max())
    losses[arch] = [
        float(ops.mean(keras.losses.sparse_categorical_crossentropy(
            LABELS, own, from_logits=True))) for own in logits
    ]
  assert 1e-4 < max(far) < 0.05  # Computed otherwise, but not by much.
  pairs = [(one, two) for one, two in itertools.combinations(losses.values(), 2)
           if abs(one[0] - two[0]) > 0.005 * one[0]]  # Nearer ones are alike to bfloat16.
  assert len(pairs) > 60
  assert all((one[0] < two[0]) == (one[1] < two[1]) for one, two in pairs)
