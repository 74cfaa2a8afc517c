"""What a search looked at, and what it found, as a figure."""

import itertools
import math

from tfdynnas import errors
from tfdynnas.analysis import figure_file

_KEYS = ("trial", "accuracy", "params")
_MANY = 400  # Beyond so many trials points are small and see-through.


def search_figure(history, path, title=None):
  """Draws each trial's accuracy over its number, and over its params, with the found one marked.

  The found one is the most accurate; of several the earliest.

  Args:
    history: Sequence of dicts, one per trial: trial (int), accuracy (share in [0, 1]; None or NaN
      for a trial that failed, which is left out), params (int), and optionally macs and string.
    path: Path of the PNG file.
    title: Title, or None.

  Returns:
    pathlib.Path of the file.

  Raises:
    InputError: No trial has an accuracy, a key is missing, or matplotlib is not installed.
    OSError: The file cannot be written.
  """
  trials = _scored(history)
  found = max(trials, key=lambda trial: trial["accuracy"])
  figure = figure_file.new(10.0, 4.4)
  left, right = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (1.25, 1)})
  _draw_progress(left, trials, found)
  _draw_costs(right, trials, found)
  for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
  figure.set_layout_engine("constrained")
  figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3,
                frameon=False)
  if title:
    figure.suptitle(title, color=figure_file.INK, fontsize=12, wrap=True)
  return figure_file.save(figure, path)


def _scored(history):
  """The trials that have an accuracy, in order."""
  trials = []
  for trial in history:
    missing = [key for key in _KEYS if key not in trial]
    if missing:
      raise errors.InputError(
          f"A trial has {', '.join(_KEYS)}. Received: one without {', '.join(missing)}"
      )
    if trial["accuracy"] is not None and math.isfinite(trial["accuracy"]):
      trials.append(trial)
  if not trials:
    raise errors.InputError(
        f"A search figure needs a trial with an accuracy. Received: {len(history)} without"
    )
  return sorted(trials, key=lambda trial: trial["trial"])


def _percents(trials):
  return [100 * trial["accuracy"] for trial in trials]


def _unit(trials):
  """(size, sign, word) of the unit that params are shown in."""
  large = max(trial["params"] for trial in trials) >= 1e6
  return (1e6, "M", "million") if large else (1e3, "k", "thousand")


def _draw_points(axes, places, trials, found):
  many = len(trials) > _MANY
  blue, _, red = figure_file.COLOURS[:3]
  axes.scatter(places, _percents(trials), s=8 if many else 20, color=blue,
               alpha=0.3 if many else 0.55, linewidths=0, label="a trial")
  place = places[trials.index(found)]
  axes.scatter([place], _percents([found]), s=170, marker="*", color=red, edgecolors="white",
               linewidths=0.8, zorder=4, label=_found_label(found, trials))


def _found_label(found, trials):
  size, sign, _ = _unit(trials)
  accuracy, params = 100 * found["accuracy"], found["params"] / size
  return f"found: trial {found['trial']}, {accuracy:.2f} %, {params:.3g} {sign}"


def _draw_progress(axes, trials, found):
  from matplotlib import ticker

  numbers = [trial["trial"] for trial in trials]
  best = list(itertools.accumulate(_percents(trials), max))
  axes.step(numbers, best, where="post", color=figure_file.INK, linewidth=1.6, label="best so far",
            zorder=3)
  _draw_points(axes, numbers, trials, found)
  axes.set_xlabel("trial")
  axes.set_ylabel("accuracy (%)")
  one = len(set(numbers)) == 1
  axes.xaxis.set_major_locator(
      ticker.FixedLocator(numbers) if one else ticker.MaxNLocator(integer=True))


def _draw_costs(axes, trials, found):
  size, _, word = _unit(trials)
  _draw_points(axes, [trial["params"] / size for trial in trials], trials, found)
  axes.set_xlabel(f"params ({word})")
