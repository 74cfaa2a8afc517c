"""Figures as PNG or SVG files: drawn without a window, written whole. Needs the extra `plots`."""

import pathlib

from tfdynnas import errors
from tfdynnas.files import atomic

INK = "#222222"
FAINT = "#9a9a9a"
# For lines that have an order, the least first: distinct in grey too.
ORDERED = ("#9ecae1", "#56a0d3", "#2166ac", "#08306b")
# Okabe and Ito's colours, which stay apart for colour-blind readers.
COLOURS = ("#0072b2", "#e69f00", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d31", "#5e4fa2")


def new(width, height):
  """Makes an empty figure without a window and outside of global state.

  Args:
    width: Inches.
    height: Inches.

  Returns:
    matplotlib.figure.Figure.

  Raises:
    InputError: matplotlib is not installed.
  """
  try:
    from matplotlib import figure
    from matplotlib.backends import backend_agg
  except ImportError:
    raise errors.InputError(
        "A figure needs matplotlib. Install it with: pip install tfdynnas[plots]"
    ) from None
  result = figure.Figure(figsize=(width, height), facecolor="white")
  backend_agg.FigureCanvasAgg(result)
  return result


def save(figure, path):
  """Writes a figure, whole or not at all; a file of that name is replaced.

  Args:
    figure: matplotlib.figure.Figure.
    path: Path of the file, SVG if it ends so, else PNG; its folder is made.

  Returns:
    pathlib.Path of the file.

  Raises:
    OSError: The file cannot be written; nothing is left behind.
  """
  import matplotlib

  path = pathlib.Path(path)
  vector = path.suffix == ".svg"
  # Without the date and with names from a fixed salt, so that the same figure has the same bytes.
  settings = {"metadata": {"Date": None}} if vector else {}
  with atomic.replacing(path) as file, matplotlib.rc_context({"svg.hashsalt": "tfdynnas"}):
    figure.savefig(file, format="svg" if vector else "png", dpi=160, **settings)
  return path
