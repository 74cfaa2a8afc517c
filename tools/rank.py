#!/usr/bin/env python3
"""Ranks archs by the supernet of a run: tools/rank.py --run_dir=runs/small --table=TABLE.npz"""

from absl import flags

from tfdynnas import config
from tfdynnas.tools import launch
from tfdynnas.tools import progress

launch.define(__name__, config.RankConfig, config.SubnetConfig, config.DeviceConfig)


def main():
  """Parses, checks, scores, and prints the statistics of the ranking."""
  settings, recipe = launch.make(config.RankConfig), launch.make(config.SubnetConfig)
  path, show = launch.run_dir(), flags.FLAGS.show_progress
  launch.import_quietly(backends=("tensorflow",) if settings.standalone else launch.BACKENDS)
  from tfdynnas import jobs

  run_dir = jobs.RunDir(path)
  launch.check_same(run_dir.config(), own=("fix", "class_weights"))
  found = jobs.run_rank(
      run_dir, settings, progress.Progress("rank", "arch", show), recipe,
      flags.FLAGS.checkpoint_steps, progress.Progress("truth", "step", show),
      flags.FLAGS.deterministic,
  )
  print(_table(found), f"  {run_dir.path / 'rank' / 'ranking.csv'}", sep="\n")


def _table(found):
  """The statistics, as text."""
  ranked, truth = found["ranked"], found["truth"]
  by = "" if found["objective"] == "accuracy" else " by balanced accuracy"
  head = f"Ranked {ranked['count']:,} archs ({ranked['archs']}){by}"
  if truth is None:
    return f"{head}; without a truth (--table, --standalone) there is nothing to compare with"
  lines = [
      f"{head}, {found['count']:,} of them against {_source(truth)}",
      "", f"  {'':<36}{'value':>8}   {found['interval']['level']:.0%} interval, archs drawn anew",
      _line("tau-b, supernet", found["tau_b"]),
      *(_line(f"tau-b, {kind} alone", one) for kind, one in found["tau_b_of_costs"].items()),
      *(_line(f"tau-b, {found['within'][kind]} {kind}", one)
        for kind, one in found["tau_b_within"].items()),
      *(_line(f"tau-b, supernet with {kind}", one)
        for kind, one in found["tau_b_with_costs"].items()),
      *(_line(f"tau-b, rank mean with {kind}", one)
        for kind, one in found["tau_b_of_mean_rank"].items()),
      _line("Spearman's rho, supernet", found["spearman"]),
      _line("CB, own definition", found["cb"]),
      _line("CB by ranks, own definition", found["cb_rank"]),
      _line("C3, own definition", found["c3"]),
      "", f"  {'best k by score':<36}{'k':>8}   of the best k    short of the best",
  ]
  for k, precision in found["precision_at"].items():
    lines.append(f"  {'':<36}{k:>8}   {precision:>12.0%}  {found['regret_at'][k]:>17.2f} %")
  return "\n".join([*lines, ""])


def _source(truth):
  """The source of the truth, as text."""
  if "table" in truth:
    return f"{truth['table']}: {truth['dataset']} {truth['split']}, {truth['epochs']} epochs"
  return f"their own training, {truth['epochs']} epochs, on {truth['part']} images"


def _line(name, number):
  """A number with its interval."""
  if number["value"] is None:
    return f"  {name:<36}{'-':>8}   not defined"
  interval = "" if number["low"] is None else f"[{number['low']:.3f}, {number['high']:.3f}]"
  return f"  {name:<36}{number['value']:>8.3f}   {interval}"


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
