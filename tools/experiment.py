#!/usr/bin/env python3
"""Trains, ranks and searches each row of a table, for each seed, and prints the table.

tools/experiment.py --flagfile=flags/table_small.cfg --data_dir=TFDS --table=TABLE.npz \
    --run_dir=runs/table

Rows in --results are skipped; the same command resumes a killed experiment. --only=ROW leaves the
other rows out, --trials=0 the search, which alone needs TensorFlow.
"""

import hashlib
import pathlib
import re
import shlex
import sys

from absl import flags

from tfdynnas import config
from tfdynnas import errors
from tfdynnas.files import atomic
from tfdynnas.tools import console
from tfdynnas.tools import launch

CONFIGS = (
    config.DataConfig, config.SpaceConfig, config.SupernetConfig, config.DeviceConfig,
    config.ExperimentConfig, config.RankConfig, config.ProbeConfig,
)
launch.define(__name__, *CONFIGS)
MODULE = sys.argv[0] if __name__ == "__main__" else __name__
flags.DEFINE_multi_string(
    "row", [], "A row, `NAME: FLAGS`: flags of its training, beside those of the experiment.",
    module_name=MODULE)
flags.DEFINE_multi_string("only", [], "Name of a row to run; none: all.", module_name=MODULE)
flags.DEFINE_list("seeds", ["0"], "Seeds of each row.", module_name=MODULE)
flags.DEFINE_string("results", "docs/results.csv", "CSV file of the results.", module_name=MODULE)
# As published: the ranking is on all validation images, the search on fewer.
RANKED = ("--score_images=0", "--score_batch=256")
OWN = ("row", "only", "seeds", "results", "run_dir", "flagfile")
UNSEARCHED = "--trials=0"  # No other tool takes this value.


def main():
  """Runs the missing rows, and prints the table of all."""
  rows, seeds = _rows(), _seeds()
  path = launch.run_dir()
  atomic.check_place(flags.FLAGS.results, "results")
  launch.refuse_workers()
  launch.import_quietly(*(["keras_tuner"] if flags.FLAGS.trials else []))
  from tfdynnas import analysis

  if not flags.FLAGS.table:
    raise errors.InputError("An experiment needs the truth. Received: no --table")
  table = analysis.load_table(flags.FLAGS.table)
  results = flags.FLAGS.results
  for seed in seeds:
    for row, own in rows.items():
      if not analysis.has_result(analysis.read_results(results), row, seed, _told(own)):
        _run_row(pathlib.Path(path) / _slug(row, seed), row, own, seed, table)
  lines = analysis.read_results(results)
  order = list(rows)
  shown = sorted((line for line in lines if line["row"] in rows), key=lambda line: order.index(
      line["row"]))
  print(analysis.results_table(shown), end="")


def _run_row(folder, row, own, seed, table):
  """Runs the launchers of a row and adds its line."""
  from tfdynnas import analysis
  from tfdynnas.jobs import experiment

  console.say(f"{row}, seed {seed}: {folder}")
  # In a flagfile: there a flag that the row makes meaningless gives way, not on a command line.
  given = "".join(f"{flag}\n" for flag in _given() if flag != UNSEARCHED)
  preset = folder.with_name(f"{folder.name}.cfg")
  atomic.write_text(preset, given)
  shared = [f"--flagfile={preset}", *own, f"--seed={seed}", f"--run_dir={folder}"]
  trainer = "train_few_shot" if "--few_shot" in " ".join(own) else "train_supernet"
  search = {"search": (f"--search_seed={seed}",)} if flags.FLAGS.trials else {}
  stages = {trainer: (), "rank": RANKED, **search, "report": ()}
  told = f"{row}, seed {seed}, table {_digest(flags.FLAGS.table)}: {_told(own)}"
  for tool, special in stages.items():
    command = [sys.executable, "-m", f"tfdynnas.tools.{tool}", *shared, *special]
    experiment.run_stage(folder, tool, command, told)
  described = experiment.describe(folder, table, searched=bool(search))
  line = {"row": row, "seed": seed, "flags": _told(own), **described}
  analysis.append_result(flags.FLAGS.results, line)


def _given():
  """The given flags of the jobs, as arguments."""
  given = flags.FLAGS.get_key_flags_for_module(MODULE)
  lines = [flag.serialize() for flag in given if flag.present and flag.name not in OWN]
  return [line for text in lines for line in text.splitlines()]


def _told(own):
  """The identity of a row: its flags and the experiment's, without paths, devices and probes."""
  places = ("--data_dir", "--image_dir", "--data_file", "--record_dir", "--table", "--subset",
            "--devices", "--noshow_progress", "--checkpoint_steps", "--probe")
  return shlex.join([*[flag for flag in _given() if not flag.startswith(places)], *own])


def _rows():
  """dict, name of a requested row -> flags of its training."""
  rows = {}
  for text in flags.FLAGS.row:
    name, colon, own = text.partition(":")
    if not (colon and name.strip()) or name.strip() in rows:
      raise errors.InputError(f"`row` must be `NAME: FLAGS`, each name once. Received: {text!r}")
    if _slug(name, 0) in {_slug(there, 0) for there in rows}:
      raise errors.InputError(
          f"Rows must differ in letters and digits, by which folders are named. Received: {text!r}")
    rows[name.strip()] = _split(own)
  if not rows:
    raise errors.InputError("Give --row='NAME: FLAGS', or a preset with rows. Received: none")
  unknown = set(flags.FLAGS.only) - set(rows)
  if unknown:
    raise errors.InputError(
        f"`only` must name rows, of {', '.join(map(repr, rows))}. Received: {sorted(unknown)}")
  return {name: own for name, own in rows.items() if name in (flags.FLAGS.only or rows)}


def _split(text):
  """The flags of a row, as a shell splits them."""
  try:
    return shlex.split(text)
  except ValueError as error:
    raise errors.InputError(
        f"`row` must be as for a shell. Received: {text.strip()!r} ({error})") from error


def _seeds():
  """The seeds as ints."""
  seeds = flags.FLAGS.seeds
  if not seeds or not all(
      re.fullmatch("[0-9]{1,10}", seed) and int(seed) < 2**32 for seed in seeds):
    raise errors.InputError(
        f"`seeds` must be whole numbers in [0, 4294967296). Received: {','.join(seeds):.60}")
  return [int(seed) for seed in seeds]


def _digest(path):
  return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()[:12]


def _slug(row, seed):
  return f"{re.sub(r'[^a-z0-9]+', '_', row.lower()).strip('_')}_seed{seed}"


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
