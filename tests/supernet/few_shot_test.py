"""A few-shot supernet: each arch runs with the weights of its own part."""

import numpy as np
from keras import ops

from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.spaces import cells

OPERATIONS = [
    cells.Operation("skip", "identity"), cells.Operation("conv1", "conv", 1),
    cells.Operation("conv3", "conv", 3),
]
SPACE = spaces.cell_space(
    "own", OPERATIONS, nodes=3, skeleton=spaces.Skeleton(2, cells=1, image_size=8, classes=3))
PARTS = spaces.make_parts(SPACE, 1, "0,2;1")
IMAGES = np.random.default_rng(0).normal(size=[4, 8, 8, 3]).astype(np.float32)


def test_each_arch_has_the_weights_of_its_part():
  plain = [supernet_lib.Supernet(SPACE, seed=seed) for seed in (1, 2)]
  values = [[ops.convert_to_numpy(v) for v in one.trainable_variables] for one in plain]
  together = supernet_lib.FewShot(supernet_lib.Supernet(SPACE, seed=3), PARTS, values)
  for arch in [(2, 0, 1), (2, 1, 1), (1, 1, 0), (1, 2, 0), (2, 0, 1)]:
    own, other = plain if arch[1] != 1 else plain[::-1]
    together.choose(arch)
    logits = np.array(together(IMAGES))
    np.testing.assert_array_equal(logits, np.array(together(IMAGES, arch=arch)))
    np.testing.assert_array_equal(logits, np.array(own(IMAGES, arch=arch)))
    assert np.abs(logits - np.array(other(IMAGES, arch=arch))).max() > 1e-3


def test_subnets_inherit_from_their_part():
  plain = [supernet_lib.Supernet(SPACE, seed=seed) for seed in (1, 2)]
  values = [[ops.convert_to_numpy(v) for v in one.trainable_variables] for one in plain]
  together = supernet_lib.FewShot(supernet_lib.Supernet(SPACE, seed=3), PARTS, values)
  for arch, own in (((1, 1, 0), plain[1]), ((1, 2, 0), plain[0])):
    for mine, expected in zip(together.subnet(arch).weights, own.subnet(arch).weights):
      np.testing.assert_array_equal(ops.convert_to_numpy(mine), ops.convert_to_numpy(expected))
