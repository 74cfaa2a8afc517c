"""NAS-Bench-201: five operations on each of the six edges of a cell, 15 625 archs.

Source: Dong and Yang, ICLR 2020. Index and order are lexicographic, not those of its API.
"""

from tfdynnas.spaces import cells

OPERATIONS = (
    cells.Operation("none", "zero"),
    cells.Operation("skip_connect", "identity"),
    cells.Operation("nor_conv_1x1", "conv", 1),
    cells.Operation("nor_conv_3x3", "conv", 3),
    cells.Operation("avg_pool_3x3", "avg_pool", 3),
)


def nasbench201(channels=16, cells_per_stage=5, image_size=32, classes=10):
  """The NAS-Bench-201 space, at the paper's size unless told otherwise.

  Args:
    channels: Channels of the first stage, >= 1.
    cells_per_stage: Cells in each of the three stages, >= 1.
    image_size: Height and width of the images, pixels, a multiple of 4.
    classes: Classes to tell apart, >= 2.

  Returns:
    CellSpace. At the paper's size complexity is 72 752 + 26 880 n1 + 241 920 n3 for n1 1x1 and n3
    3x3 convolutions in the cell, params are complexity + 554 + 1 120 (n1 + n3).
  """
  skeleton = cells.Skeleton(channels, cells_per_stage, image_size, classes)
  return cells.cell_space("nasbench201", OPERATIONS, skeleton=skeleton)
