"""Figures: whole PNG files, and in them what they promise."""

import pathlib
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas import spaces

ROOT = pathlib.Path(analysis.__file__).resolve().parents[2]
SPACE = spaces.get("nasbench201")
# Node 1 is fed by nothing: 1x1, the pool and what comes of them change nothing.
ARCH = SPACE.parse(
    "|none~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|")


def _chunks(path):
  """Names of a PNG file's chunks, with every checksum checked."""
  data, names = path.read_bytes(), []
  assert data.startswith(b"\x89PNG\r\n\x1a\n")
  place = 8
  while place < len(data):
    (length,) = struct.unpack(">I", data[place:place + 4])
    chunk = data[place + 4:place + 8 + length]
    assert struct.unpack(">I", data[place + 8 + length:place + 12 + length])[0] == zlib.crc32(chunk)
    names.append(chunk[:4])
    place += 12 + length
  return names


def _history(count=30):
  rng = np.random.default_rng(0)
  archs = [SPACE.sample(rng) for _ in range(count)]
  return [{"trial": trial, "accuracy": 0.5 + 0.4 * rng.random(), "macs": 1,
           "params": SPACE.cost(arch, "params"), "string": SPACE.format(arch)}
          for trial, arch in enumerate(archs)]


def _edges(figure):
  """Line style of each edge drawn, by `source-target`."""
  return {patch.get_gid().split()[1]: patch.get_linestyle() for patch in figure.axes[0].patches
          if str(patch.get_gid()).startswith("edge")}


def _texts(figure):
  return [text.get_text() for text in figure.axes[0].texts]


def test_cell_has_live_edges_solid_dead_ones_dashed_and_no_none(drawn, tmp_path):
  path = analysis.arch_figure(SPACE, ARCH, tmp_path / "cell.png", title="Found")
  assert _chunks(path)[0] == b"IHDR" and _chunks(path)[-1] == b"IEND"
  styles = _edges(drawn[0])
  assert set(styles) == {"0-2", "1-2", "0-3", "1-3", "2-3"}  # 0-1 is `none`.
  assert {edge for edge, style in styles.items() if style == "-"} == {"0-2", "0-3", "2-3"}
  texts = _texts(drawn[0])
  assert sorted(texts[:5]) == sorted(["nor_conv_3x3", "nor_conv_1x1", "skip_connect",
                                      "avg_pool_3x3", "nor_conv_3x3"])
  assert texts[5:] == ["input", "1", "2", "output"]
  axes = drawn[0].axes[0]
  assert axes.get_title() == "Found" and "Dashed" in axes.get_xlabel()
  assert axes.get_xlabel().split("\nDashed")[0].replace("\n", "") == SPACE.format(ARCH)


def test_cell_without_a_path_says_so(drawn, tmp_path):
  analysis.arch_figure(SPACE, SPACE.smallest(), tmp_path / "cell.png")
  assert not _edges(drawn[0]) and "Nothing connects" in drawn[0].axes[0].get_xlabel()
  assert drawn[0].axes[0].get_title() == SPACE.name


@pytest.mark.parametrize("nodes", [2, 3, 4, 5, 6, 7])
def test_texts_of_a_cell_overlap_nowhere_and_stay_inside(drawn, tmp_path, nodes):
  operations = (spaces.Operation("a_rather_long_operation_5x5", "conv", 5),)
  for chosen in (SPACE.operations, operations):
    space = spaces.cell_space("own", chosen, nodes=nodes)
    analysis.arch_figure(space, space.largest(), tmp_path / "cell.png")
    figure = drawn.pop()
    figure.canvas.draw()  # Saving places the title for another resolution.
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts]
    boxes += [axes.title.get_window_extent(), axes.xaxis.label.get_window_extent()]
    assert len(boxes) == len(space.edges) + nodes + 2
    for number, box in enumerate(boxes):
      assert box.x0 >= 0 and box.y0 >= 0
      assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
      assert not [other for other in boxes[:number] if box.overlaps(other)]


@pytest.mark.parametrize("width", [1.0, 0.25])
def test_layers_are_bars_and_what_is_left_out_is_dashed(drawn, tmp_path, width):
  space = spaces.mobilenet(width=width)
  arch = tuple(place % len(own.choices) for place, own in enumerate(space.decisions))
  path = analysis.arch_figure(space, arch, tmp_path / "layers.png", title="Found")
  assert _chunks(path)[-1] == b"IEND"
  axes, blocks = drawn[0].axes[0], space.chosen(arch)
  bars = {bar.get_gid(): bar for bar in axes.patches}
  heights = [bars[f"layer {n}"].get_height() if f"layer {n}" in bars else 0 for n in range(21)]
  assert heights == [block.expansion for block in blocks] and 0 < heights.count(0) < 21
  assert {line.get_gid() for line in axes.lines} == {
      f"left out {n}" for n, block in enumerate(blocks) if not block.expansion}
  colours = {(block.window, bars[f"layer {n}"].get_facecolor())
             for n, block in enumerate(blocks) if block.expansion}
  assert len(colours) == len({window for window, _ in colours}) == 3
  assert axes.get_title() == "Found"
  figure = drawn[0]
  figure.canvas.draw()
  ticks = [label.get_window_extent() for label in axes.get_xticklabels()]
  assert len(ticks) >= 5 and not any(one.overlaps(two) for one, two in zip(ticks, ticks[1:]))
  assert all(0 <= box.x0 and 0 <= box.y0 and box.x1 <= figure.bbox.x1 for box in ticks)


def test_edges_of_one_operation_have_one_colour(drawn, tmp_path):
  for arch in (SPACE.largest(), ARCH):
    analysis.arch_figure(SPACE, arch, tmp_path / "cell.png")
  colours = [{patch.get_edgecolor() for patch in figure.axes[0].patches
              if patch.get_gid() in ("edge 0-2", "edge 2-3")} for figure in drawn]
  assert len(colours[0]) == 1 and colours[0] == colours[1]


def test_search_shows_every_trial_the_best_so_far_and_the_found_one(drawn, tmp_path):
  history = _history()
  history[3]["accuracy"], history[4]["accuracy"] = None, float("nan")
  path = analysis.search_figure(history[::-1], 9, tmp_path / "search.png", title="Search")
  assert _chunks(path)[-1] == b"IEND"
  left, right = drawn[0].axes
  scored = [trial for trial in history if trial["trial"] not in (3, 4)]
  percents = 100 * np.array([trial["accuracy"] for trial in scored])
  numbers = [trial["trial"] for trial in scored]
  np.testing.assert_allclose(left.lines[0].get_ydata(), np.maximum.accumulate(percents))
  np.testing.assert_array_equal(left.lines[0].get_xdata(), numbers)
  assert left.lines[0].get_drawstyle() == "steps-post"
  (found,) = [trial for trial in scored if trial["trial"] == 9]
  found_percent = 100 * found["accuracy"]
  assert 1e5 < max(trial["params"] for trial in scored) < 1e6  # So they are shown in thousands.
  thousands = [trial["params"] / 1e3 for trial in scored]
  for axes, places, place in ((left, numbers, found["trial"]),
                              (right, thousands, found["params"] / 1e3)):
    points, star = (collection.get_offsets() for collection in axes.collections)
    np.testing.assert_allclose(points, np.stack([places, percents], 1))
    np.testing.assert_allclose(star, [[place, found_percent]])
  labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
  assert labels[2] == (f"found: trial 9, {found_percent:.2f} %, "
                       f"{found['params'] / 1e3:.3g} k params")


def test_a_front_is_drawn_in_a_panel_of_each_cost_from_the_cheapest_up(drawn, tmp_path):
  history = [{"trial": number, "accuracy": accuracy, "params": 1000, "macs": macs, "latency": ms}
             for number, (accuracy, macs, ms) in enumerate(
                 [(0.5, 2000, 0.25), (0.7, 4000, 1.5), (0.2, 3000, 0.5), (0.7, 5000, 0.5)])]
  path = analysis.search_figure(history, 1, tmp_path / "search.png", front=[0, 1, 3],
                                costs=("macs", "latency"))
  assert _chunks(path)[-1] == b"IEND"
  _, macs, latency = drawn[0].axes
  for axes, label, places, percents in (
      (macs, "macs (thousand)", [2, 4, 5], [50, 70, 70]),
      (latency, "latency (milliseconds)", [0.25, 0.5, 1.5], [50, 70, 70])):
    (line,) = axes.lines
    np.testing.assert_allclose(line.get_xdata(), places)
    np.testing.assert_allclose(line.get_ydata(), percents)
    assert axes.get_xlabel() == label and line.get_linewidth() == 0  # No line: a shadow.
  analysis.search_figure(history, 1, tmp_path / "one.png", front=[0, 1], costs=("macs",))
  assert drawn[1].axes[1].lines[0].get_linewidth() > 0
  (legend,) = drawn[0].legends
  assert "the front" in [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_search_of_any_length(drawn, tmp_path, count):
  assert _chunks(analysis.search_figure(_history(count), 0, tmp_path / "search.png"))
  assert drawn[0].axes[0].get_xlabel() == "trial"


@pytest.mark.parametrize("history, words", [
    ([], "0 without"), ([{"trial": 0, "accuracy": None, "params": 1}], "1 without"),
    ([{"trial": 0, "accuracy": 0.5}], "without params"),
    ([{"trial": 1, "accuracy": 0.5, "params": 1}], "`found` must be a trial"),
])
def test_search_without_anything_to_draw(tmp_path, history, words):
  with pytest.raises(errors.InputError, match=words):
    analysis.search_figure(history, 0, tmp_path / "search.png")
  assert not list(tmp_path.iterdir())


def test_archs_that_cannot_be_drawn(tmp_path):
  plain = spaces.Space("plain", (spaces.Decision("a", ("b",)),), {})
  with pytest.raises(errors.InputError, match="cells or layers. Received: `plain`"):
    analysis.arch_figure(plain, (0,), tmp_path / "cell.png")
  with pytest.raises(errors.InputError, match="6 decisions"):
    analysis.arch_figure(SPACE, (0,), tmp_path / "cell.png")


def test_a_figure_replaces_the_old_one_or_leaves_it(drawn, tmp_path, monkeypatch):
  path = tmp_path / "cell.png"
  path.write_text("old")

  def fail(_):
    raise OSError(28, "No space left on device")

  with monkeypatch.context() as patch:
    patch.setattr("os.fsync", fail)
    with pytest.raises(OSError):
      analysis.arch_figure(SPACE, ARCH, path)
  assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1
  analysis.arch_figure(SPACE, ARCH, str(path))
  assert _chunks(path) and len(list(tmp_path.iterdir())) == 1
  analysis.arch_figure(SPACE, ARCH, tmp_path / "new" / "cell.png")
  assert _chunks(tmp_path / "new" / "cell.png")


def test_without_matplotlib_the_error_says_what_to_install(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, "matplotlib", None)
  for draw in (lambda path: analysis.arch_figure(SPACE, ARCH, path),
               lambda path: analysis.search_figure(_history(), 0, path)):
    with pytest.raises(errors.InputError, match=r"pip install tfdynnas\[plots\]"):
      draw(tmp_path / "a.png")
  assert not list(tmp_path.iterdir())


def test_importing_needs_neither_tensorflow_nor_matplotlib():
  code = "import sys, tfdynnas.analysis; print(*sys.modules)"
  result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
  assert "tfdynnas.analysis.plots.search_figure" in result.stdout
  assert not {"tensorflow", "keras", "matplotlib"} & set(result.stdout.split())


def test_drawing_needs_no_pyplot(tmp_path):
  pytest.importorskip("matplotlib", reason="needs matplotlib")
  code = (
      "import sys; from tfdynnas import analysis, spaces; space = spaces.get('nasbench201'); "
      f"analysis.arch_figure(space, space.largest(), {str(tmp_path / 'cell.png')!r}); "
      "print(*sys.modules)"
  )
  result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
  assert "matplotlib.figure" in result.stdout and "matplotlib.pyplot" not in result.stdout
