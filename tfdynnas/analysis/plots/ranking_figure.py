"""Score against truth as a figure."""

import numpy as np

from tfdynnas import errors
from tfdynnas.analysis.plots import figure_file
from tfdynnas.analysis.plots import line_figure

_MANY = 1000  # Beyond so many points are small, and pixels in an SVG too.


def ranking_figure(scores, truth, complexity, path):
  """Draws what the supernet says of archs over what they are worth on their own.

  Args:
    scores: Accuracies with inherited weights [n], percent.
    truth: Accuracies of the archs trained on their own [n], percent; NaN where unknown.
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
