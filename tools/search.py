#!/usr/bin/env python3
"""Searches the supernet of a run: tools/search.py --run_dir=runs/digits

To resume a search, flags that are not given keep their values.
"""

from absl import flags

from tfdynnas import class_accuracy
from tfdynnas import config
from tfdynnas.search.distributed import roles
from tfdynnas.tools import launch
from tfdynnas.tools import progress

launch.define(__name__, config.SearchConfig)


def main():
  """Parses, checks, searches, and prints the network found."""
  path = launch.run_dir()
  settings = launch.make(config.SearchConfig, config.stored_search(path))
  works = roles.role() == "worker"
  launch.import_quietly("keras_tuner")
  from tfdynnas import analysis
  from tfdynnas import jobs

  run_dir = jobs.RunDir(path, locked=not works)
  launch.check_same(run_dir.config(), own=("fix",))
  if works:
    print(f"Worker of the search in {run_dir.path}: {jobs.run_worker(run_dir, settings)} trials")
    return
  launch.tell(f"Costs of the space: {jobs.cost_ranges(run_dir, settings)}")
  show = progress.Trials("search", flags.FLAGS.show_progress, settings.objective)
  found, history = jobs.run_search(run_dir, settings, show)
  print(f"Found {found['string']} (#{found['index']})\n"
        f"  accuracy {found['accuracy']:.4f} with inherited weights"
        f"{class_accuracy.beside(found)}, best of {found['trials']}\n"
        f"  params {found['params']:,}, MACs {found['macs']:,}{_more(found)}")
  if "front" in found:
    count = len(found["front"])
    print(f"Front of accuracy against {', '.join(found['pareto_costs'])}: {count} "
          f"{'arch' if count == 1 else 'archs'}\n  {run_dir.path / 'search' / 'front.csv'}")
  figure = analysis.search_figure(
      history, found["trial"], run_dir.path / "search.png", front=found.get("front", ()),
      costs=found.get("pareto_costs", ("params",)),
  )
  print(f"  {figure}")


def _more(found):
  """The costs that only some searches have."""
  size = f", {found['bytes']:,} bytes" if "bytes" in found else ""
  return size + (f", {found['latency']:.4g} ms" if "latency" in found else "")


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
