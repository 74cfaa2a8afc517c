#!/usr/bin/env python3
"""Speed, as paired ratios measured in one run: tools/benchmark.py"""

import sys

from absl import flags

from tfdynnas import errors
from tfdynnas.tools import launch

PARTS = ("step", "choices", "precision", "sharing", "first", "score")
ALONE = ("throughput", "curves", "data")
_SIZED = (*PARTS, "throughput")
# Flag -> the parts that take it; all parts take the others.
TAKEN_BY = {
    "masked": ("throughput",), "data_dir": ("data",), "photos": ("data",), "archs": PARTS,
    "channels": _SIZED, "cells": _SIZED, "seed": _SIZED, "image_size": (*_SIZED, "data"),
}
MODULE = sys.argv[0] if __name__ == "__main__" else __name__
flags.DEFINE_multi_enum(
    "part", list(PARTS), [*PARTS, *ALONE],
    "What to measure; `throughput`, `curves` (how the cost grows) and `data` (images per second of "
    "random-resized crops, against their decoding alone) each stand alone, the first with "
    "KERAS_BACKEND=jax too.",
    module_name=MODULE)
flags.DEFINE_bool("masked", False, "throughput: run every choice and mask, not switch.",
                  module_name=MODULE)
flags.DEFINE_string("data_dir", None, "data: folder of prepared tfds data sets, with cifar10.",
                    module_name=MODULE)
flags.DEFINE_integer("photos", 3000, "data: JPEGs to make of CIFAR-10's images, enlarged.",
                     lower_bound=64, module_name=MODULE)
flags.DEFINE_integer("archs", 8, "Random archs.", lower_bound=1, module_name=MODULE)
flags.DEFINE_integer("blocks", 3, "Interleaved blocks.", lower_bound=3, module_name=MODULE)
flags.DEFINE_integer("channels", 16, "Channels of the first stage.", lower_bound=1,
                     module_name=MODULE)
flags.DEFINE_integer("cells", 5, "Cells in each stage.", lower_bound=1, module_name=MODULE)
flags.DEFINE_integer("image_size", 32, "Height and width, pixels.", lower_bound=4,
                     module_name=MODULE)
flags.DEFINE_integer("seed", 0, "Seed of the archs.", lower_bound=0, module_name=MODULE)


def main():
  """Prints a description of the machine, then a line for each measurement."""
  values = flags.FLAGS
  _refuse_idle(values)
  if values.part == ["throughput"]:
    launch.import_quietly()
    from tfdynnas.tools import throughput

    for line in throughput.measure(
        values.channels, values.cells, values.image_size, values.blocks, values.seed,
        values.masked,
    ):
      print(line, flush=True)
    return
  alone = [part for part in values.part if part in ALONE]
  if len(values.part) > 1 and alone:
    raise errors.InputError(f"`part` {alone[0]} must stand alone. Received: {values.part}")
  launch.import_quietly(backends=("tensorflow",))
  if alone:
    for line in _curves(values) if alone == ["curves"] else _data(values):
      print(line, flush=True)
    return
  from tfdynnas.tools import speed

  bench = speed.Bench(
      values.channels, values.cells, values.image_size, values.archs, values.blocks, values.seed
  )
  print(bench.machine())
  for part in values.part:
    for line in getattr(bench, part)():
      print(line, flush=True)


def _refuse_idle(values):
  """Refuses a flag that none of the parts takes."""
  for name, parts in TAKEN_BY.items():
    if values[name].present and not set(parts) & set(values.part):
      raise errors.InputError(
          f"`{name}` needs part={' or '.join(parts)}. Received: part={','.join(values.part)}"
      )


def _curves(values):
  from tfdynnas.tools import curves

  curves.start()
  return curves.measure(values.blocks)


def _data(values):
  from tfdynnas.tools import input_speed

  size = values.image_size if values["image_size"].present else 224
  return input_speed.measure(values.data_dir, values.photos, size, values.blocks)


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
