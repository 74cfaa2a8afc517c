"""NAS-Bench-201: five operations on each of the six edges of a cell, 15 625 archs.

Source: Dong and Yang, ICLR 2020. Index and order are lexicographic, not those of its API.
"""

from tfdynnas import made_by
from tfdynnas.spaces import cells as cells_lib

OPERATIONS = (
    cells_lib.Operation("none", "zero"),
    cells_lib.Operation("skip_connect", "identity"),
    cells_lib.Operation("nor_conv_1x1", "conv", 1),
    cells_lib.Operation("nor_conv_3x3", "conv", 3),
    cells_lib.Operation("avg_pool_3x3", "avg_pool", 3),
)


@made_by.recorded(space="nasbench201")
def nasbench201(
    channels: int = 16, cells: int = 5, image_size: int | tuple[int, int] = 32, classes: int = 10
) -> cells_lib.CellSpace:
  """The NAS-Bench-201 space, by default at the paper's size.

  Args:
    channels: Channels of the first stage, >= 1.
    cells: Cells in each of the three stages, >= 1.
    image_size: Height and width of the images, pixels, an int or a pair, multiples of 4.
    classes: Number of classes, >= 2.

  Returns:
    CellSpace. At the paper's size complexity is 72 752 + 26 880 n1 + 241 920 n3 for n1 1x1 and n3
    3x3 convolutions in the cell, params are complexity + 554 + 1 120 (n1 + n3).

  Example:
    space = nas.spaces.nasbench201(channels=8, cells=1, image_size=8)
    print(space.bounds("params"))
  """
  skeleton = cells_lib.Skeleton(channels, cells, image_size, classes)
  return cells_lib.cell_space("nasbench201", OPERATIONS, skeleton=skeleton)
