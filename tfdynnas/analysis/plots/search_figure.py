"""The trials of a search, and the one that was found, as a figure."""

import itertools
import math

from tfdynnas import errors
from tfdynnas.analysis.plots import figure_file

_KEYS = ("trial", "accuracy")
_UNITS = {"bytes": ((1e6, "MB", "million"), (1e3, "kB", "thousand")),
          "latency": ((1.0, "ms", "milliseconds"),) * 2}
_COUNTS = ((1e6, "M {}", "million"), (1e3, "k {}", "thousand"))
_MANY = 400  # With more trials, points are small and transparent.


def search_figure(history, found, path, title=None, front=(), costs=("params",)):
  """Draws each trial's accuracy over its number, and over its costs, with the found one marked.

  Args:
    history: Sequence of dicts, one per trial: trial (int), accuracy (share in [0, 1]; None or NaN
      for a trial that failed, which is left out), and the costs.
    found: Number of the trial that was found.
    path: Path of the PNG file.
    title: Title, or None.
    front: Numbers of the trials on the front of accuracy and costs, marked in the panels of costs.
    costs: Kinds of cost, a panel each.

  Returns:
    pathlib.Path of the file.

  Raises:
    InputError: No trial has an accuracy, the found one is not among those that have, a key is
      missing, or matplotlib is not installed.
    OSError: The file cannot be written.
  """
  trials = _scored(history, {*_KEYS, *costs})
  star = _find(trials, found)
  figure = figure_file.new(5.6 + 4.4 * len(costs), 4.4)
  left, *others = figure.subplots(
      1, 1 + len(costs), sharey=True, gridspec_kw={"width_ratios": (1.25, *(1 for _ in costs))})
  _draw_progress(left, trials, star, costs[0])
  for axes, kind in zip(others, costs):
    _draw_costs(axes, trials, star, kind, set(front), joined=len(costs) == 1)
  _tidy((left, *others))
  figure.set_layout_engine("constrained")
  labels = _labels((left, others[-1]))
  figure.legend(labels.values(), labels, loc="outside lower center", ncols=4, frameon=False)
  if title:
    figure.suptitle(title, color=figure_file.INK, fontsize=12, wrap=True)
  return figure_file.save(figure, path)


def _find(trials, found):
  """The trial with a number."""
  for trial in trials:
    if trial["trial"] == found:
      return trial
  raise errors.InputError(f"`found` must be a trial with an accuracy. Received: {found}")


def _tidy(panels):
  """Removes superfluous spines, and puts a faint grid behind the data."""
  for axes in panels:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)


def _labels(panels):
  """dict, label -> artist, over all panels: the front is in the panels of costs alone."""
  labels = {}
  for axes in panels:
    labels |= dict(zip(*axes.get_legend_handles_labels()[::-1]))
  return labels


def _scored(history, keys):
  """The trials that have an accuracy, in order."""
  trials = []
  for trial in history:
    missing = sorted(keys - set(trial))
    if missing:
      raise errors.InputError(
          f"A trial has {', '.join(sorted(keys))}. Received: one without {', '.join(missing)}"
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


def _unit(trials, kind):
  """(size, sign, word) of the unit that a cost is shown in."""
  large = max(trial[kind] for trial in trials) >= 1e6
  size, sign, word = _UNITS.get(kind, _COUNTS)[0 if large else 1]
  return size, sign.format(kind), word


def _draw_points(axes, places, trials, found, kind):
  many = len(trials) > _MANY
  blue, _, red = figure_file.COLOURS[:3]
  axes.scatter(places, _percents(trials), s=8 if many else 20, color=blue,
               alpha=0.3 if many else 0.55, linewidths=0, label="a trial")
  place = places[trials.index(found)]
  axes.scatter([place], _percents([found]), s=170, marker="*", color=red, edgecolors="white",
               linewidths=0.8, zorder=4, label=_found_label(found, trials, kind))


def _found_label(found, trials, kind):
  size, sign, _ = _unit(trials, kind)
  accuracy, cost = 100 * found["accuracy"], found[kind] / size
  return f"found: trial {found['trial']}, {accuracy:.2f} %, {cost:.3g} {sign}"


def _draw_progress(axes, trials, found, kind):
  from matplotlib import ticker

  numbers = [trial["trial"] for trial in trials]
  best = list(itertools.accumulate(_percents(trials), max))
  axes.step(numbers, best, where="post", color=figure_file.INK, linewidth=1.6, label="best so far",
            zorder=3)
  _draw_points(axes, numbers, trials, found, kind)
  axes.set_xlabel("trial")
  axes.set_ylabel("accuracy (%)")
  one = len(set(numbers)) == 1
  axes.xaxis.set_major_locator(
      ticker.FixedLocator(numbers) if one else ticker.MaxNLocator(integer=True))


def _draw_costs(axes, trials, found, kind, front, joined):
  size, _, word = _unit(trials, kind)
  _draw_points(axes, [trial[kind] / size for trial in trials], trials, found, kind)
  best = [trial for trial in trials if trial["trial"] in front]
  best.sort(key=lambda trial: (trial[kind], trial["accuracy"]))
  if best:  # With several costs a panel shows a projection of the front, not a line.
    axes.plot([trial[kind] / size for trial in best], _percents(best), marker="o", markersize=5,
              color=figure_file.COLOURS[1], linewidth=1.2 if joined else 0, label="the front",
              zorder=3)
  axes.set_xlabel(f"{kind} ({word})")
