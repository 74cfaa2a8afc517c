#!/usr/bin/env python3
"""The whole chain: supernet, search, subnet, servable, and one table of the results.

tools/nas.py --flagfile=flags/digits.cfg --run_dir=runs/digits

With a flag of few-shot training the supernet is trained in parts, one after the other. A servable
that already holds the network is kept. With --baselines=K other archs are trained too, to measure
the gain of the search.
"""

from absl import flags

from tfdynnas import class_accuracy
from tfdynnas import config
from tfdynnas.tools import launch
from tfdynnas.tools import progress

launch.define(__name__, *launch.CONFIGS)


def main():
  """Parses, checks, runs one job after the other; each resumes if it was killed."""
  (data, space, supernet, few_shot, devices, search, subnet, export,
   probes, baselines) = map(launch.make, launch.CONFIGS)
  path, show, text = launch.run_dir(), flags.FLAGS.show_progress, launch.text()
  search = launch.make(config.SearchConfig, config.stored_search(path))
  launch.refuse_workers()
  launch.import_quietly("keras_tuner", "matplotlib", backends=("tensorflow",))
  from tfdynnas import jobs

  run_dir = jobs.RunDir(path, create=True)
  check = jobs.later_jobs(run_dir, search, subnet, export, baselines)
  if launch.few_shot_flags():
    jobs.train_few_shot(run_dir, data, space, supernet, few_shot, devices, text,
                        progress.of_parts(show), probes, launch.tell, check)
  else:
    jobs.train_supernet(run_dir, data, space, supernet, devices, text,
                        progress.Progress("supernet", "step", show), probes, launch.tell,
                        check)
  launch.tell(f"Costs of the space: {jobs.cost_ranges(run_dir, search)}")
  found, history = jobs.run_search(
      run_dir, search, progress.Trials("search", show, search.objective))
  launch.tell(jobs.signal_note(run_dir, subnet.arch))
  result = jobs.train_subnet(
      run_dir, subnet, devices.checkpoint_steps, progress.Progress("subnet", "step", show)
  )
  compared = baselines.baselines and jobs.train_baselines(
      run_dir, baselines, search, subnet, devices.checkpoint_steps,
      progress.Progress("baselines", "step", show), launch.tell)
  servable = jobs.find_servable(run_dir, export) or jobs.export_subnet(run_dir, export)
  _show(run_dir, found, history, result, compared, servable)


def _show(run_dir, found, history, result, compared, servable):
  """Draws and prints the results."""
  from tfdynnas import analysis
  from tfdynnas import spaces
  from tfdynnas.jobs import setup

  figures = [
      analysis.search_figure(
          history, found["trial"], run_dir.path / "search.png", front=found.get("front", ()),
          costs=found.get("pareto_costs", ("params",))),
      analysis.arch_figure(
          setup.stored_space(run_dir.config()), result["arch"], run_dir.path / "network.png"),
  ]
  place = [("place among baselines", analysis.standing_line(compared))] if compared else []
  print()
  _print_columns(_rows(found, result, place, servable, figures, spaces.COSTS))
  if compared:
    _print_columns(analysis.standing_table(compared))


def _rows(found, result, place, servable, figures, kinds):
  """The results, as a list of (name, value)."""
  rows = [("architecture", result["string"])]
  rows += [(kind, f"{result[kind]:,}") for kind in kinds if kind in result]
  if found["arch"] == result["arch"]:
    rows += [("accuracy, inherited weights", f"{found['accuracy']:.4f} on validation images"
                                             f"{class_accuracy.beside(found)}, best of "
                                             f"{found['trials']} archs")]
  rows += [
      ("accuracy, on its own", f"{result['accuracy']:.4f} on {result['part']} images"
                               f"{class_accuracy.beside(result)}"),
      ("by class, worst first", class_accuracy.by_class(result, result["class_names"])),
      *place, ("servable", str(servable)), ("serve it", launch.serve_command(servable)),
      ("the search", str(figures[0])), ("the network", str(figures[1])),
  ]
  return rows


def _print_columns(rows):
  """Prints rows of texts, and an empty line."""
  widths = [max(map(len, column)) for column in list(zip(*rows))[:-1]]
  lines = ["  ".join([*map(str.ljust, row, widths), row[-1]]) for row in rows]
  print("\n".join([*(f"  {line}" for line in lines), ""]))


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
