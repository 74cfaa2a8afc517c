#!/usr/bin/env python3
"""Exports a trained network to TensorFlow Serving: tools/export.py --run_dir=runs/digits

Exports the network that the search found, or with --arch=... the one trained with that flag; with
--inherited, untrained, the supernet's weights.
"""

import json

from tfdynnas import config
from tfdynnas.tools import launch

launch.define(__name__, config.ExportConfig)


def main():
  """Parses, checks, exports, and prints the command that serves the network."""
  settings, path = launch.make(config.ExportConfig), launch.run_dir()
  launch.import_quietly(backends=("tensorflow",))
  from tfdynnas import jobs

  run_dir = jobs.RunDir(path)
  launch.check_same(run_dir.config(), own=("class_weights",))
  servable = jobs.export_subnet(run_dir, settings)
  launch.tell(jobs.signal_note(run_dir, settings.arch))
  print(f"Servable {servable}\n  {launch.serve_command(servable)}")
  for name, facts in json.loads((servable / "arch.json").read_text("utf-8"))["other_files"].items():
    right = f", accuracy {facts['accuracy']:.4f}" if "accuracy" in facts else ""
    print(f"  {name}: {facts['bytes']:,} bytes, same class as the network on "
          f"{facts['agreement']:.2%} of {facts['images']:,} images{right}")


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
