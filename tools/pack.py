#!/usr/bin/env python3
"""Packs a data set into one file: tools/pack.py --dataset=digits --data_file=digits.npz

Training reads it with --data_file=digits.npz, also where TensorFlow is not installed.
"""

import pathlib

from tfdynnas import config
from tfdynnas.tools import launch

launch.define(__name__, config.PackConfig, in_run=False)


def main():
  """Parses, checks, packs, and prints a summary of the file."""
  settings = launch.make(config.PackConfig)
  if settings.dataset not in (None, "digits"):
    launch.import_quietly("tensorflow_datasets", "tensorflow")
  from tfdynnas import data

  found = data.pack(
      settings.data_file, settings.dataset, settings.image_dir, settings.data_dir,
      bool(settings.download),
  )
  classes, size = found.pop("classes"), pathlib.Path(settings.data_file).stat().st_size
  images = ", ".join(f"{count:,} {part}" for part, count in found.items())
  print(f"Packed {settings.data_file}: {images} images, {classes:,} classes, {size:,} bytes")


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
