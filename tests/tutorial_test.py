"""The tutorial runs from its first cell to its last, and shows what it showed when it was kept."""

import pathlib
import re

import pytest

nbformat = pytest.importorskip("nbformat", reason="the extra `docs` is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra `docs` is not installed")

PATH = pathlib.Path(__file__).resolve().parent.parent / "docs" / "tutorial.ipynb"


def _shown(notebook):
  """Per cell of code what came out, by kind: pictures, and lines without their numbers."""
  found = []
  for cell in notebook.cells:
    outputs = cell.get("outputs", [])
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    text = "".join(one["text"] for one in outputs if one.get("name") == "stdout")
    found.append((pictures, re.sub(r"\d[\d.,]*", "N", text)))
  return found


def test_it_runs_and_shows_what_it_showed(tmp_path):
  notebook = nbformat.read(PATH, as_version=4)
  kept = _shown(notebook)
  assert sum(pictures for pictures, _ in kept) >= 6
  where = {"metadata": {"path": str(tmp_path)}}
  nbclient.NotebookClient(notebook, timeout=600, resources=where).execute()
  made = _shown(notebook)
  assert [pictures for pictures, _ in made] == [pictures for pictures, _ in kept]
  lines = "".join(text for _, text in made)
  assert "Accuracy on N test images: N" in lines and "saved_model.pb" in lines
  assert (tmp_path / "servables" / "digits" / "1" / "saved_model.pb").exists()
