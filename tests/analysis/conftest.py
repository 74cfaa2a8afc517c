"""What tests of figures share."""

import pytest

from tfdynnas.analysis.plots import figure_file


@pytest.fixture
def drawn(monkeypatch):
  """The figures that were saved, still to be looked into."""
  pytest.importorskip("matplotlib", reason="needs matplotlib")
  figures, save = [], figure_file.save
  monkeypatch.setattr(figure_file, "save", lambda figure, path: figures.append(figure) or
                      save(figure, path))
  return figures
