"""An arch as a picture, of either kind of space."""

from tfdynnas import spaces
from tfdynnas.analysis import cell_figure as cells
from tfdynnas.analysis import layer_figure as layers


def arch_figure(space, arch, path, title=None):
  """Draws an arch: of a cell space its cell, of a layer space its layers.

  Args:
    space: CellSpace or LayerSpace.
    arch: Sequence of ints, one per decision.
    path: Path of the PNG file.
    title: Title; None stands for the name of the space.

  Returns:
    pathlib.Path of the file.

  Raises:
    InputError: The space is of another kind, the arch is not of it, or matplotlib is not installed.
    OSError: The file cannot be written.
  """
  draw = layers.layer_figure if isinstance(space, spaces.LayerSpace) else cells.cell_figure
  return draw(space, arch, path, title)
