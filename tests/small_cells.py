"""A cell space that is quickly trained: three nodes, and three of NAS-Bench-201's operations.

Launchers take it as `--space=tests.small_cells:make_space`.
"""

from tfdynnas import spaces


def make_space(channels=4, cells=1, image_size=8, classes=10):
  """27 archs, of which 22 let a signal through."""
  operations = [
      spaces.Operation("none", "zero"),
      spaces.Operation("skip_connect", "identity"),
      spaces.Operation("nor_conv_3x3", "conv", 3),
  ]
  skeleton = spaces.Skeleton(channels, cells, image_size, classes)
  return spaces.cell_space("small", operations, nodes=3, skeleton=skeleton)


SPACE = make_space(channels=2)
