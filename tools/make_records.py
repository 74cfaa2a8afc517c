#!/usr/bin/env python3
"""Writes a folder of images as TFRecord shards: tools/make_records.py --image_dir=P --record_dir=R

Training reads them with --record_dir=R, a few large files in place of many small ones.
"""

from tfdynnas import config
from tfdynnas.tools import launch

launch.define(__name__, config.RecordConfig, in_run=False)


def main():
  """Parses, checks, writes, and prints a summary of the shards."""
  settings = launch.make(config.RecordConfig)
  launch.import_quietly(backends=("tensorflow",))
  from tfdynnas import data

  found = data.write_shards(
      settings.image_dir, settings.record_dir, settings.record_shards, settings.record_seed
  )
  images = ", ".join(f"{count:,} {part}" for part, count in found.items())
  print(f"Wrote {settings.record_dir}: {images} images, {settings.record_shards} shards a part")


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
