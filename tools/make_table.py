#!/usr/bin/env python3
"""Makes a benchmark table from a NATS-Bench download.

tools/make_table.py --nats=NATS-tss-v1_0-3ffb9-simple --table=nats.npz
"""

import pathlib
import sys

from absl import flags

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas.files import atomic
from tfdynnas.tools import launch
from tfdynnas.tools import progress

MODULE = sys.argv[0] if __name__ == "__main__" else __name__
flags.DEFINE_string("nats", "", "NATS-Bench download: its folder, or its one large file.",
                    module_name=MODULE)
flags.DEFINE_string("table", "", "Table to write, .npz.", module_name=MODULE)
flags.DEFINE_bool("show_progress", True, "Show how far it is, on stderr.", module_name=MODULE)


def main():
  """Reads the download, writes the table, and prints a summary of it."""
  values = flags.FLAGS
  if not values.nats or not values.table:
    raise errors.InputError(
        "Give --nats=DOWNLOAD and --table=FILE.npz. "
        f"Received: nats={values.nats!r}, table={values.table!r}"
    )
  atomic.check_place(values.table, "table")
  if pathlib.Path(values.table).exists():
    raise errors.InputError(f"`table` must be a new file. Received: {values.table}")
  show = progress.Progress("table", "arch", values.show_progress)
  with atomic.alone(values.table, "table"):
    found = analysis.read_nats(values.nats, show)
    analysis.save_table(values.table, "nasbench201", found)
  print(f"Table {values.table}")
  for (dataset, split, epochs), numbers in found.items():
    print(f"  {dataset} {split}, {epochs} epochs: best {numbers[numbers == numbers].max():.2f} %")


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
