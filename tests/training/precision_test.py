"""A step in mixed precision leaves weights and momentum in float32."""

import keras
import numpy as np
from keras import ops

from tests.small_layers import SPACE
from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import supernet as supernet_lib

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=[32, 8, 8, 3]).astype(np.float32)
LABELS = RNG.integers(0, 10, 32).astype(np.int32)


def test_a_step_leaves_weights_and_momentum_in_float32():
  path = methods.SinglePath(SPACE, seed=4)
  supernet = supernet_lib.Supernet(SPACE, seed=2, dtype="mixed_bfloat16")
  supernet.compile(
      optimizers.MS(0.05, groups=path.groups, off_path="frozen"),
      keras.losses.SparseCategoricalCrossentropy(from_logits=True), method=path,
  )
  logs = supernet.fit(IMAGES, LABELS, batch_size=16, verbose=0).history
  assert np.isfinite(logs["loss"][0])
  variables = [*supernet.trainable_variables, *supernet.optimizer.slots]
  assert {str(keras.backend.standardize_dtype(v.dtype)) for v in variables} == {"float32"}
  stem = ops.convert_to_numpy(supernet.trainable_variables[0])
  # The bits that a bfloat16 does not have: the weight was not rounded on the way.
  assert np.any(stem.view(np.uint32) & 0xFFFF)
