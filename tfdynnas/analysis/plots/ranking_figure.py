"""Score against truth as a figure."""

import numpy as np

from tfdynnas import errors
from tfdynnas.analysis.plots import figure_file
from tfdynnas.analysis.plots import line_figure

_MANY = 1000  # With more, points are small, and pixels even in an SVG.


def ranking_figure(scores, truth, complexity, path):
  """Draws the supernet's accuracies of archs over their stand-alone accuracies.

  Args:
    scores: Accuracies with inherited weights [n], percent.
    truth: Stand-alone accuracies of the archs [n], percent; NaN where unknown.
    complexity: Numbers > 0 [n], which give the colour.
    path: Path of the file, PNG or SVG.

  Returns:
    pathlib.Path of the file.

  Raises:
    InputError: No arch has both, or matplotlib is not installed.
    OSError: The file cannot be written.
  """
  columns = np.array([scores, truth, complexity], np.float64)
  scores, truth, complexity = columns[:, np.isfinite(columns).all(axis=0)]
  if not scores.size:
    raise errors.InputError("A ranking figure needs an arch with score and truth. Received: none")
  figure = figure_file.new(5.4, 3.9)
  axes = figure.subplots()
  many = scores.size > _MANY
  points = axes.scatter(
      truth, scores, c=complexity, norm="log" if np.ptp(complexity) else None, cmap="viridis_r",
      s=6 if many else 22, linewidths=0, alpha=0.5 if many else 0.85, rasterized=many,
  )
  line_figure.finish(axes, "accuracy trained on its own (%)", "accuracy with inherited weights (%)")
  bar = figure.colorbar(points, ax=axes, pad=0.02)
  bar.set_label("complexity", color=figure_file.INK)
  bar.outline.set_visible(False)
  return figure_file.save(figure, path)
