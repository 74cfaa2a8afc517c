#!/usr/bin/env python3
"""Measures the latency of a space's choices on this machine: tools/measure_latency.py --run_dir=R

Only `config.json` of the run directory is read, so a copy of it is enough on another machine.
Without a run, give --latency_table and the flags of a space, with --image_size and --keep_classes.
Search with the table: tools/search.py --run_dir=R --latency_table=R/latency.json --max_latency=2
"""

import os
import pathlib

from absl import flags

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import image_size as image_size_lib
from tfdynnas.files import atomic
from tfdynnas.tools import launch
from tfdynnas.tools import progress

launch.define(__name__, config.LatencyConfig, config.SpaceConfig)
_IMAGES = "dataset", "image_dir", "record_dir", "data_file"


def main():
  """Parses, checks, measures, and prints the latency of each piece."""
  settings, show = launch.make(config.LatencyConfig), flags.FLAGS.show_progress
  if not settings.latency_table and not flags.FLAGS.run_dir:
    raise errors.InputError(
        "Give --run_dir=FOLDER, or --latency_table=FILE and the flags of a space. Received: neither"
    )
  if settings.latency_table:
    atomic.check_place(settings.latency_table, "latency_table")
  _use_processors(settings.threads)
  launch.import_quietly()
  from tfdynnas.jobs import latency

  space = _space()
  place = pathlib.Path(settings.latency_table or f"{flags.FLAGS.run_dir}/latency.json")
  with atomic.alone(place, "latency_table"):
    table = latency.measure_latency(
        space, place, settings, progress.Progress("latency", "piece", show))
    print(_text(table, settings.latency_batch), f"  {place}", sep="\n")
    if settings.check:
      found = latency.check_latency(
          space, place, settings, progress.Progress("check", "arch", show))
      print(_check_text(found), f"  {place.with_name(f'{place.stem}.check.json')}", sep="\n")


def _space():
  """The space of the run, or of the flags."""
  from tfdynnas import jobs
  from tfdynnas import spaces
  from tfdynnas.jobs import setup

  if flags.FLAGS.run_dir:
    stored = jobs.RunDir(flags.FLAGS.run_dir, locked=False).config()
    launch.check_same(stored)
    return setup.stored_space(stored)
  space = launch.make(config.SpaceConfig)
  images = {"image_size": image_size_lib.read(image_size_lib.text(flags.FLAGS.image_size)),
            "classes": flags.FLAGS.keep_classes}
  given = {name: value for name, value in images.items() if value}
  unread = [name for name in _IMAGES if flags.FLAGS[name].value]
  if unread and len(given) < len(images):
    raise errors.InputError(
        "Without a run, images are not read: give their --image_size and, with --keep_classes, how "
        f"many classes they have. Received: --{unread[0]}"
    )
  return spaces.get(space.space, **space.size(), **given)


def _use_processors(count):
  """Binds this process to so many processors, before a back end starts its threads."""
  if not count:
    return
  if not hasattr(os, "sched_setaffinity"):
    raise errors.InputError(f"`threads` must be 0 on this system. Received: {count}")
  free = sorted(os.sched_getaffinity(0))
  if count > len(free):
    raise errors.InputError(f"`threads` must be <= {len(free)}, the processors. Received: {count}")
  os.sched_setaffinity(0, free[:count])


def _text(table, batch):
  """The pieces, as text."""
  machine = table["machine"]
  head = (f"Milliseconds of a call, batch {batch}, {machine['processor']}, "
          f"{machine['processors']} processors: median [quartiles]")
  width = max(map(len, table["measured"]))
  lines = [f"  {name:<{width}}  {_spread(times)}" for name, times in table["measured"].items()]
  return "\n".join([head, *lines])


def _check_text(found):
  """The comparison, as text."""
  tau, rho = (f"{found[name]:.3f}" if found[name] is not None else "not defined"
              for name in ("kendall", "spearman"))
  return (f"Of {len(found['archs'])} random subnets measured whole: tau-b {tau}, rho {rho}\n"
          f"  relative error       {_spread(found['relative_error'])}\n"
          f"  predicted / measured {_spread(found['ratio'])}")


def _spread(values):
  return f"{values['median']:.4g} [{values['low']:.4g}, {values['high']:.4g}]"


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
