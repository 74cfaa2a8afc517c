"""Numbers over the steps of a training as a figure."""

import math

from tfdynnas import errors
from tfdynnas.analysis.plots import figure_file

_FEW = 30  # Up to so many points each is marked.


def line_figure(lines, path, ylabel, ordered=False, level=None):
  """Draws lines over steps.

  Args:
    lines: dict, name -> (steps, values): ints and floats of equal length; None and NaN are gaps.
    path: Path of the file, PNG or SVG.
    ylabel: What the values are, with their unit.
    ordered: Colours from light to dark, for lines that have an order; at most four.
    level: Optional (name, value), drawn dashed over the whole width.

  Returns:
    pathlib.Path of the file.

  Raises:
    InputError: There is no number to draw, or matplotlib is not installed.
    OSError: The file cannot be written.
  """
  lines = {name: _points(*line) for name, line in lines.items()}
  lines = {name: points for name, points in lines.items() if points[0]}
  if not lines:
    raise errors.InputError(f"A figure of {ylabel} needs a number. Received: none")
  figure = figure_file.new(5.4, 3.7)
  axes = figure.subplots()
  colours = figure_file.ORDERED if ordered else figure_file.COLOURS
  for place, (name, (steps, values)) in enumerate(lines.items()):
    axes.plot(steps, values, label=name, color=colours[place % len(colours)], linewidth=1.8,
              marker="o" if len(steps) <= _FEW else None, markersize=4, gid=name)
  if level and math.isfinite(level[1]):
    axes.axhline(level[1], color=figure_file.INK, linestyle=(0, (5, 4)), linewidth=1.2,
                 label=level[0])
  finish(axes, "steps", ylabel)
  return figure_file.save(figure, path)


def _points(steps, values):
  """The points that are numbers."""
  kept = [(s, v) for s, v in zip(steps, values) if v is not None and math.isfinite(v)]
  return [step for step, _ in kept], [value for _, value in kept]


def finish(axes, xlabel, ylabel):
  """Gives axes the look of all figures of numbers; several lines have a legend below."""
  axes.set_xlabel(xlabel, color=figure_file.INK)
  axes.set_ylabel(ylabel, color=figure_file.INK)
  axes.spines[["top", "right"]].set_visible(False)
  axes.grid(color="#e6e6e6", linewidth=0.8)
  axes.set_axisbelow(True)
  handles, names = axes.get_legend_handles_labels()
  axes.figure.set_layout_engine("constrained")
  if len(names) > 1:
    axes.figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False,
                       fontsize=9)
