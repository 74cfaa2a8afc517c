"""An arch as a picture, of either kind of space."""

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.analysis.plots import cell_figure
from tfdynnas.analysis.plots import figure_file
from tfdynnas.analysis.plots import layer_figure

_DRAWN = {
    spaces.CellSpace: cell_figure.cell_figure, spaces.LayerSpace: layer_figure.layer_figure
}


def arch_figure(space, arch, path, title=None):
  """Draws an arch: of a cell space its cell as a graph, of a layer space a bar for each layer.

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
  if type(space) not in _DRAWN:
    raise errors.InputError(
        f"An arch is drawn of a CellSpace or a LayerSpace. Received: {type(space).__name__}"
    )
  axes = _DRAWN[type(space)](space, space.validate(arch))
  axes.set_title(
      space.name if title is None else title, color=figure_file.INK, fontsize=12, wrap=True
  )
  return figure_file.save(axes.figure, path)
