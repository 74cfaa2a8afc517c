"""The cell of an arch as a graph."""

import dataclasses

from tfdynnas.analysis.plots import figure_file

RADIUS = 0.34  # Of a node; all lengths in inches, so that text and graph keep their proportion.
_LEAST_WIDTH = 5.0  # Room for the title.
_LETTER = 0.085  # Width of one letter of a label.
_BEND = {2: 0.5, 3: 0.62}  # Height of an edge's control point as a share of its length, by span.
_FURTHER_BEND = 0.68


@dataclasses.dataclass(frozen=True)
class _Place:
  """Where an edge goes: from `start` to `end` on the axis, through `apex` in the middle."""

  start: float
  end: float
  bend: float

  @property
  def apex(self):
    return (self.start + self.end) / 2, self.bend * (self.end - self.start) / 2


def cell_figure(space, arch):
  """Draws the cell of an arch of a CellSpace: nodes in a row, and each edge with its operation.

  Edges without a connection are left out. Edges that the output does not depend on are faint and
  dashed. Neighbours are joined straight, other nodes in arcs above (even source) or below (odd).

  Returns:
    matplotlib.axes.Axes, alone in its figure.
  """
  live = space.live(arch)
  gap = _gap(space)
  places = [_place(source, target, gap) for source, target in space.edges]
  axes = _axes(space, places, gap)
  for choice, on, place, edge in zip(space.validate(arch), live, places, space.edges):
    operation = space.operations[choice]
    if operation.kind != "zero":
      _draw_edge(axes, place, operation.name, _colour(space, choice) if on else None, edge)
  used = {node for on, edge in zip(live, space.edges) if on for node in edge}
  for node in range(space.nodes):
    _draw_node(axes, node * gap, _node_name(node, space.nodes), node in used)
  axes.set_xlabel(_caption(space, arch, live), color="#555555", fontsize=8)
  return axes


def _gap(space):
  """Distance of two nodes, so that the longest label fits between them."""
  longest = max(len(operation.name) for operation in space.operations)
  return 2 * RADIUS + 0.75 + _LETTER * longest


def _place(source, target, gap):
  span = target - source
  bend = 0.0 if span == 1 else _BEND.get(span, _FURTHER_BEND)
  return _Place(source * gap, target * gap, bend if source % 2 == 0 else -bend)


def _axes(space, places, gap):
  """Axes in inches that hold every edge, whether it is drawn or not: cells stay comparable."""
  heights = [place.apex[1] for place in places]
  bottom, top = min(-RADIUS, *heights) - 0.3, max(RADIUS, *heights) + 0.3
  row, height = (space.nodes - 1) * gap, top - bottom
  width = max(row + 2 * RADIUS + 0.4, _LEAST_WIDTH)
  caption, title = 0.14 * space.nodes + 0.25, 0.45
  total = caption + height + title
  figure = figure_file.new(width, total)
  axes = figure.add_axes((0, caption / total, 1, height / total))
  axes.set_xlim((row - width) / 2, (row + width) / 2)
  axes.set_ylim(bottom, top)
  axes.set_xticks([])
  axes.set_yticks([])
  axes.spines[:].set_visible(False)
  return axes


def _colour(space, choice):
  """Colour of a choice: the same in every figure of the space."""
  drawn = [number for number, operation in enumerate(space.operations) if operation.kind != "zero"]
  return figure_file.COLOURS[drawn.index(choice) % len(figure_file.COLOURS)]


def _draw_edge(axes, place, name, colour, edge):
  """An arrow with its operation in the middle; faint and dashed without a colour."""
  from matplotlib import patches

  faint = colour is None
  colour = figure_file.FAINT if faint else colour
  arrow = patches.FancyArrowPatch(
      (place.start, 0), (place.end, 0), connectionstyle=f"arc3,rad={-place.bend}",
      arrowstyle="-|>", mutation_scale=14, color=colour, linewidth=1.0 if faint else 2.2,
      linestyle=(0, (4, 3)) if faint else "-", shrinkA=72 * RADIUS, shrinkB=72 * RADIUS,
      zorder=1 if faint else 2, gid="edge {}-{}".format(*edge),
  )
  axes.add_patch(arrow)
  axes.text(*place.apex, name, ha="center", va="center", fontsize=9, zorder=5,
            color="#777777" if faint else figure_file.INK,
            bbox={"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": colour,
                  "linewidth": 0.6 if faint else 1.2, "linestyle": "--" if faint else "-"})


def _draw_node(axes, x, name, used):
  from matplotlib import patches

  colour = figure_file.INK if used else figure_file.FAINT
  axes.add_patch(patches.Circle((x, 0), RADIUS, facecolor="#f2f2f2" if used else "white",
                                edgecolor=colour, linewidth=1.4, zorder=4))
  axes.text(x, 0, name, ha="center", va="center", fontsize=9, color=colour, zorder=6)


def _node_name(node, nodes):
  return {0: "input", nodes - 1: "output"}.get(node, str(node))


def _caption(space, arch, live):
  """The string form, a line per node, and what dashes mean if there are any."""
  kinds = [space.operations[choice].kind for choice in space.validate(arch)]
  lines = space.format(arch).replace("|+|", "|+\n|").split("\n")
  if not any(live):
    lines.append("Nothing connects input and output.")
  elif any(kind != "zero" and not on for kind, on in zip(kinds, live)):
    lines.append("Dashed: the output does not depend on it.")
  return "\n".join(lines)
