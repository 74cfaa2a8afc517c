"""What probes saw, as lines with hand-computed values and the figures of them."""

import math

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas.analysis import instruments
from tfdynnas.analysis.plots import line_figure
from tfdynnas.analysis.plots import ranking_figure


def _probe(step, accuracies, own=0.5, other=0.25):
  archs = [{"index": index, "class": index // 2, "complexity": 10 * index + 10, "accuracy": value}
           for index, value in enumerate(accuracies)]
  classes = [{"class": 0, "accuracy": accuracies[0], "loss": 2.0},
             {"class": 3, "accuracy": accuracies[-1], "loss": None}]
  return {"step": step, "archs": archs, "classes": classes,
          "cosines": {"within": 0.1 * step, "across": None},
          "momentum": {"own": own, "other": other, "mean": 0.3}}


PROBES = [_probe(1, [0.1, 0.2, 0.3]), _probe(2, [0.4, 0.2, 0.3])]


def test_classes_become_lines():
  lines = instruments.class_lines(PROBES, "accuracy", 100)
  assert list(lines) == ["quarter 1 (least complex)", "quarter 4 (most complex)"]
  assert lines["quarter 1 (least complex)"] == ((1, 2), (10, 40))
  lines = instruments.class_lines(PROBES, "loss")
  assert lines["quarter 4 (most complex)"] == ((1, 2), (None, None))
  assert instruments.gap(PROBES, "accuracy") == pytest.approx(-0.1)
  assert math.isnan(instruments.gap(PROBES, "loss"))


def test_cosines_become_lines():
  lines = instruments.cosine_lines(PROBES)
  assert lines == {"gradients of one group": ([1, 2], [0.1, 0.2]),
                   "gradients of different groups": ([1, 2], [None, None])}
  assert len(instruments.momentum_lines(PROBES)) == 3
  shared = [_probe(1, [0.1, 0.2], other=None)]
  assert list(instruments.momentum_lines(shared).values()) == [([1], [0.5])]


def test_tau_over_the_training_with_that_of_complexity():
  # Truth falls with the index: first 0 of 3 pairs concordant; then (0, 1) and (0, 2) are.
  line, level = instruments.tau_lines(PROBES, {0: 90.0, 1: 80.0, 2: 70.0, 3: 60.0})
  assert line[0] == [1, 2] and line[1] == pytest.approx([-1, 1 / 3]) and level == -1
  line, level = instruments.tau_lines(PROBES, {0: 90.0, 1: math.nan, 2: 70.0})
  assert line[1] == pytest.approx([-1, 1]) and level == -1
  line, level = instruments.tau_lines(PROBES, {0: 90.0})
  assert all(map(math.isnan, line[1])) and math.isnan(level)


def test_lines_are_drawn_without_their_gaps(drawn, tmp_path):
  lines = {"one": ([1, 2, 3], [0.5, None, 0.7]), "none": ([1], [math.nan]), "two": ([1], [1])}
  path = line_figure.line_figure(lines, tmp_path / "a.svg", "tau", level=("params", 0.25))
  assert path.read_text().startswith("<?xml")
  axes = drawn[0].axes[0]
  found = {line.get_gid(): line.get_xydata().tolist() for line in axes.lines if line.get_gid()}
  assert found == {"one": [[1, 0.5], [3, 0.7]], "two": [[1, 1]]}
  assert axes.lines[-1].get_ydata() == [0.25, 0.25]
  assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["one", "two", "params"]
  again = line_figure.line_figure(lines, tmp_path / "b.svg", "tau", level=("params", 0.25))
  assert again.read_bytes() == path.read_bytes()


def test_nothing_to_draw_is_said(tmp_path):
  with pytest.raises(errors.InputError, match="needs a number"):
    line_figure.line_figure({"a": ([1], [None])}, tmp_path / "a.svg", "tau")
  with pytest.raises(errors.InputError, match="score and truth"):
    ranking_figure.ranking_figure([50.0], [math.nan], [10], tmp_path / "a.svg")


@pytest.mark.parametrize("count", [3, 1500])
def test_ranking_shows_archs_whose_truth_is_known(drawn, tmp_path, count):
  scores, truth = np.linspace(10, 90, count), np.linspace(60, 95, count)
  truth[0] = math.nan
  ranking_figure.ranking_figure(scores, truth, np.arange(1, count + 1), tmp_path / "a.svg")
  points = drawn[0].axes[0].collections[0]
  np.testing.assert_allclose(points.get_offsets(), np.stack([truth, scores], 1)[1:])
  assert points.get_rasterized() == (count > 1000)
  assert (tmp_path / "a.svg").stat().st_size < 200_000
