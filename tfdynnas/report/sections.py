"""The sections of a report: lists of blocks of HTML, made from the results of the jobs."""

import math
import pathlib
import shlex

from tfdynnas import analysis
from tfdynnas import class_accuracy
from tfdynnas.analysis import instruments
from tfdynnas.analysis.plots import line_figure
from tfdynnas.analysis.plots import ranking_figure
from tfdynnas.report import page
from tfdynnas.report import reader as reader_lib

_BEST = 5  # Trials of the search in the list.
_CLASSES = 20  # Classes in a table.
_STATISTICS = {
    "tau_b": "Kendall's tau-b, supernet", "spearman": "Spearman's rho, supernet",
    "cb": "CB (own definition)", "cb_rank": "CB by ranks (own definition)",
    "c3": "C3 (own definition)",
}


class Sheet:
  """Draws the figures of a page into a temporary folder."""

  def __init__(self, folder):
    self._folder, self._count = pathlib.Path(folder), 0

  def draw(self, function, *args, alt, caption, wide=False, **settings):
    """Calls a function of `analysis` that draws into a `path`; returns the figure as HTML."""
    self._count += 1
    path = function(*args, path=self._folder / f"{self._count}.svg", **settings)
    return page.figure(path, alt, caption, wide)


def training(reader, sheet):
  """Loss and accuracy of the sampled subnets."""
  logs = reader.logs()
  if not logs:
    return [page.missing("No epoch is done yet:", _command(reader, _trainer(reader)))]

  def lines(key, scale):
    return {f"part{part}" if part else "sampled subnets": (
        [int(row["step"]) for row in rows], [scale * row[key] for row in rows])
        for part, rows in logs}

  return [page.row(
      sheet.draw(line_figure.line_figure, lines("loss", 1), ylabel="loss",
                 alt="Training loss over steps", caption="Mean loss of an epoch's steps, each of "
                 "which trains the subnets that its step sampled."),
      sheet.draw(line_figure.line_figure, lines("accuracy", 100), ylabel="accuracy (%)",
                 alt="Training accuracy over steps",
                 caption="Share of training images that the sampled subnets told right."),
  )]


def classes(reader, sheet):
  """Small subnets against large ones, over the training."""
  if not reader.probes():
    return [_no_probes(reader)]
  blocks = [page.text(
      "A fair training brings subnets of all sizes equally far. Each quarter of the "
      f"{'archs of a part' if reader.in_parts else 'space'} by complexity is represented by some "
      "fixed archs, scored with inherited weights on fixed validation images."
  )]
  for part, probes in reader.probes():
    blocks.append(page.row(*[
        sheet.draw(
            line_figure.line_figure, instruments.class_lines(probes, key, scale), ylabel=label,
            ordered=True, alt=f"{label} by complexity class over steps",
            caption=f"{caption}{f', part{part}' if part else ''}. {_gap(probes, key, scale, unit)}",
        )
        for key, scale, label, unit, caption in (
            ("accuracy", 100, "accuracy (%)", " points", "Validation accuracy by complexity"),
            ("loss", 1, "loss", "", "Validation loss by complexity"),
            ("learning_rate", 1, "learning rate", "", "Learning rate of a step by the complexity "
             "of its subnet"),
        )
    ]))
  return blocks


def _gap(probes, key, scale, unit):
  value = scale * instruments.gap(probes, key)
  if not math.isfinite(value):
    return ""
  side = "above" if value >= 0 else "below"
  return f"At the end the most complex quarter is {abs(value):.3g}{unit} {side} the least complex."


def gradients(reader, sheet):
  """Agreement of gradients within a momentum group, and of its momentum with them."""
  if not reader.probes():
    return [_no_probes(reader)]
  blocks = [page.text(
      "Momentum helps where past gradients point the way of the present one. Cosines are over all "
      "shared weights, of the gradients of some fixed archs of each momentum group on one fixed "
      "training batch, before clipping and weight decay; 0 stands for gradients that have nothing "
      "to do with each other."
  )]
  for part, probes in reader.probes():
    of_part = f", part{part}" if part else ""
    blocks.append(page.row(
        sheet.draw(
            line_figure.line_figure, instruments.cosine_lines(probes), ylabel="mean cosine",
            alt="Cosine of gradients within and across groups over steps",
            caption=f"Cosine of two subnets' gradients, by momentum group{of_part}."),
        sheet.draw(
            line_figure.line_figure, instruments.momentum_lines(probes), ylabel="mean cosine",
            alt="Cosine of gradients and momentum over steps",
            caption=f"Cosine of a subnet's gradient with momentum{of_part}."),
    ))
  return blocks


def ranking(reader, sheet, truth):
  """Trustworthiness of the scores, at the end and over the training."""
  statistics = reader.json("rank/statistics.json")
  blocks = _statistics(reader, statistics)
  rows = reader.rows("rank/ranking.csv", ("accuracy", "complexity"), ("truth",))
  rows = [row for row in rows if row["truth"] is not None]
  figures = []
  if rows and statistics and statistics.get("tau_b"):  # They are written after the rows.
    scores = [100 * row["accuracy"] for row in rows]
    figures.append(sheet.draw(
        ranking_figure.ranking_figure, scores, [row["truth"] for row in rows],
        [row["complexity"] for row in rows], alt="Score of each arch over its truth",
        caption=f"Accuracy with inherited weights against that of archs trained on their own; "
                f"{len(rows):,} archs, tau-b {interval(statistics['tau_b'])}."))
  figures += _tau_over_training(reader, sheet, truth)
  if figures:
    blocks.append(page.row(*figures))
  if truth is None:
    blocks.append(page.missing("Tau over the training needs a benchmark table:",
                               _command(reader, "report", "--table=TABLE.npz")))
  return blocks


def _statistics(reader, found):
  if not found:
    command = _command(reader, "rank", "--table=TABLE.npz")
    return [page.missing("No ranking yet; with a table, or with --standalone=N:", command)]
  if not found.get("tau_b"):
    command = _command(reader, "rank", "--table=TABLE.npz")
    return [page.missing(f"{found['ranked']['count']:,} archs were scored without a truth:",
                         command)]
  rows = [(name, *_numbers(found[key])) for key, name in _STATISTICS.items() if key in found]
  rows[1:1] = _taus_with_costs(found)
  level = f"{found['interval']['level']:.0%}"
  regrets = found["regret_at"]
  top = [(f"best {k}", f"{share:.0%}", f"{regrets[k]:.2f}" if k in regrets else "")
         for k, share in found["precision_at"].items()]
  return [
      page.row(
          page.table(rows, ("", "value", f"{level} from", "to"),
                     heading=f"{found['count']:,} archs ({found['ranked']['archs']})"),
          page.table(top, ("by score", "of the best k", "short of the best (%)"),
                     heading="What a short list is worth"),
      ),
      *(page.note(f"{key}: {text}.") for key, text in found.get("definitions", {}).items()),
  ]


def _taus_with_costs(found):
  """Rows of the costs' own taus, and of the supernet's beside and beyond them."""
  within = found.get("within", {})
  names = {
      "tau_b_of_costs": "{kind} alone", "tau_b_within": "{within} {kind}",
      "tau_b_with_costs": "score and {kind}", "tau_b_of_mean_rank": "mean rank of score and {kind}",
  }
  return [
      ("Kendall's tau-b, " + name.format(kind=kind, within=within.get(kind)), *_numbers(number))
      for key, name in names.items() for kind, number in found.get(key, {}).items()
  ]


def _numbers(number):
  return ["-" if number[key] is None else f"{number[key]:.3f}" for key in ("value", "low", "high")]


def _tau_over_training(reader, sheet, truth):
  """Figures of tau over the steps, one per probed training."""
  if truth is None:
    return []
  values, name = truth
  figures = []
  for part, probes in reader.probes():
    (steps, taus), level = instruments.tau_lines(probes, values)
    if any(math.isfinite(tau) for tau in taus):
      count = len(probes[-1]["archs"])
      figures.append(sheet.draw(
          line_figure.line_figure, {"supernet": (steps, taus)}, ylabel="tau-b",
          level=("complexity alone", level), alt="Kendall's tau over steps",
          caption=f"Kendall's tau-b of the {count} probed archs against {name}"
                  f"{f', part{part}' if part else ''}, while training."))
  return figures


def search(reader, sheet):
  """The trials of the search."""
  found = reader.json(reader_lib.FOUND)
  costs = found.get("pareto_costs", ["params"]) if found else []
  columns = ("trial", "accuracy", *dict.fromkeys(("params", "macs", *costs)))
  history = reader.rows("search/trials.csv", columns, ("loss",), ("string",))
  if not found or not history:
    return [page.missing("No search yet:", _command(reader, "search"))]
  scored = sorted(history, key=lambda row: (-row["accuracy"], row["loss"] or 0.0, row["trial"]))
  best = [(f"{row['trial']:.0f}", row["string"], f"{100 * row['accuracy']:.2f}",
           f"{row['params']:,.0f}", f"{row['macs']:,.0f}") for row in scored[:_BEST]]
  trials, front = [{**row, "trial": int(row["trial"])} for row in history], found.get("front", ())
  share = f", {len(front):,} of them on the front" if front else ""
  return [
      sheet.draw(analysis.search_figure, trials, found["trial"], wide=True,
                 front=front, costs=costs,
                 alt=f"Accuracy of each trial over its number and over its {' and '.join(costs)}",
                 caption=f"The {len(history):,} trials of the search{share}."),
      page.table(best, ("trial", "arch", "accuracy (%)", "params", "MACs"),
                 heading="Most accurate with inherited weights"),
  ]


def networks(reader, sheet, space):
  """The network found, and the networks trained on their own."""
  found = reader.json(reader_lib.FOUND)
  drawn = {
      tuple(result["arch"]): f"trained on its own: {100 * result['accuracy']:.2f} % on "
                             f"{result['part']} images{class_accuracy.beside(result, percent=True)}"
      for result in reader.networks()}
  if found:
    arch = tuple(found["arch"])
    drawn[arch] = "; ".join(["found by the search", *([drawn[arch]] if arch in drawn else [])])
  if not drawn:
    return [page.missing("No arch was found yet:", _command(reader, "search"))]
  return [*map(_by_class, reader.networks()), page.row(*[
      sheet.draw(analysis.arch_figure, space, arch, title=f"#{space.index(arch)}",
                 alt=f"Network of {space.format(arch)}", caption=f"The network {words}.")
      for arch, words in drawn.items()
  ])]


def baselines(reader):
  """Place of the network found among its baselines."""
  record = reader.baselines()
  if not record:
    return [page.missing("Nothing says yet what the search brought:",
                         _command(reader, "nas", "--baselines=8"))]
  head, *rows = analysis.standing_table(record)
  return [page.text(f"Place of the network found: {analysis.standing_line(record)}."),
          page.table(rows, head)]


def _by_class(result):
  """A table of a network's accuracy by class, only the worst of many; none of an older result."""
  rows = class_accuracy.worst_first(result)
  if not rows or "class_names" not in result:
    return ""
  cells = [(result["class_names"][label], f"{images:,}", f"{100 * right / images:.2f}")
           for label, right, images in rows[:_CLASSES]]
  more = f"; {len(rows) - _CLASSES:,} more, none worse" if len(rows) > _CLASSES else ""
  return page.table(cells, ("class", f"{result['part']} images", "accuracy (%)"),
                    heading=f"{result['string']}, by class, worst first{more}")


def interval(number):
  """A statistic with its interval as text."""
  value, low, high = _numbers(number)
  return value if low == "-" else f"{value} [{low}, {high}]"


def _no_probes(reader):
  return page.missing(
      "The training was not looked at; in a new run directory:",
      _command(reader, _trainer(reader), "--probe_epochs=10", suffix="_probed"))


def _trainer(reader):
  return "train_few_shot" if reader.in_parts else "train_supernet"


def _command(reader, tool, *flags, suffix=""):
  """The command that adds to the run, or to one beside it, with the run's own flags."""
  return shlex.join([f"tools/{tool}.py", f"--flagfile={reader.path / 'flags.cfg'}",
                     f"--run_dir={reader.path}{suffix}", *flags])
