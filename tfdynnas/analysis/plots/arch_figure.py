"""An arch as a picture, of any kind of space."""

from tfdynnas import registry
from tfdynnas.analysis.plots import figure_file


def arch_figure(space, arch, path, title=None):
  """Draws an arch: of a cell space its cell as a graph, of a layer space a bar for each layer.

  Args:
    space: spaces.Space of a kind that has a figure, as cells and layers do.
    arch: Sequence of ints, one per decision.
    path: Path of the PNG file.
    title: Title; None stands for the name of the space.

  Returns:
    pathlib.Path of the file.

  Raises:
    InputError: The space has no figure, the arch is not of it, or matplotlib is not installed.
    OSError: The file cannot be written.
  """
  axes = registry.part(space, "figure")(space, space.validate(arch))
  axes.set_title(
      space.name if title is None else title, color=figure_file.INK, fontsize=12, wrap=True
  )
  return figure_file.save(axes.figure, path)
