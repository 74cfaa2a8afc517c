#!/usr/bin/env python3
"""The whole chain: supernet, search, subnet, servable, and one table of what came out.

tools/nas.py --flagfile=flags/digits.cfg --run_dir=runs/digits

With a flag of few-shot training the supernet is trained in parts, one after the other. A servable
that holds the network already is left as it is.
"""

from absl import flags

from tfdynnas.tools import launch
from tfdynnas.tools import progress

launch.define(__name__, *launch.CONFIGS)


def main():
  """Parses, checks, runs one job after the other; each goes on where a killed one stopped."""
  (data, space, supernet, few_shot, devices, search, subnet, export,
   probes) = map(launch.make, launch.CONFIGS)
  path, show, text = launch.run_dir(), flags.FLAGS.show_progress, launch.text()
  launch.refuse_workers()
  launch.import_quietly("keras_tuner", backends=("tensorflow",))
  from tfdynnas import analysis
  from tfdynnas import runs
  from tfdynnas import spaces
  from tfdynnas.runs import setup

  run_dir = runs.RunDir(path, create=True)
  if launch.few_shot_flags():
    runs.train_few_shot(run_dir, data, space, supernet, few_shot, devices, text,
                        progress.of_parts(show), probes)
  else:
    runs.train_supernet(run_dir, data, space, supernet, devices, text,
                        progress.Progress("supernet", "step", show), probes)
  found, history = runs.run_search(run_dir, search, progress.Trials("search", show))
  result = runs.train_subnet(
      run_dir, subnet, devices.checkpoint_steps, progress.Progress("subnet", "step", show)
  )
  servable = runs.find_servable(run_dir, export) or runs.export_subnet(run_dir, export)
  figures = [
      analysis.search_figure(
          history, found["trial"], run_dir.path / "search.png", front=found.get("front", ()),
          costs=found.get("pareto_costs", ("params",))),
      analysis.arch_figure(
          setup.stored_space(run_dir.config()), result["arch"], run_dir.path / "network.png"),
  ]
  _print_table(found, result, servable, figures, spaces.COSTS)


def _print_table(found, result, servable, figures, kinds):
  """Prints what came out."""
  rows = [("architecture", result["string"])]
  rows += [(kind, f"{result[kind]:,}") for kind in kinds if kind in result]
  if found["arch"] == result["arch"]:
    rows += [("accuracy, inherited weights", f"{found['accuracy']:.4f} on validation images, "
                                             f"best of {found['trials']} archs")]
  rows += [
      ("accuracy, on its own", f"{result['accuracy']:.4f} on {result['part']} images"),
      ("servable", str(servable)), ("serve it", launch.serve_command(servable)),
      ("the search", str(figures[0])), ("the network", str(figures[1])),
  ]
  width = max(len(name) for name, _ in rows)
  print("\n".join(["", *(f"  {name:<{width}}  {value}" for name, value in rows), ""]))


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
