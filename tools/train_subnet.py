#!/usr/bin/env python3
"""Trains a network on its own: tools/train_subnet.py --run_dir=runs/digits

Without --arch the network that the search found, in `subnet/`; else another, in `subnet_INDEX/`.
"""

from absl import flags

from tfdynnas import class_accuracy
from tfdynnas import config
from tfdynnas.tools import launch
from tfdynnas.tools import progress

launch.define(__name__, config.SubnetConfig, config.DeviceConfig)


def main():
  """Parses, checks, trains, and prints the result of the network."""
  settings, path = launch.make(config.SubnetConfig), launch.run_dir()
  launch.import_quietly(backends=("tensorflow",))
  from tfdynnas import jobs

  run_dir = jobs.RunDir(path)
  launch.check_same(run_dir.config(), own=("class_weights",))
  launch.tell(jobs.signal_note(run_dir, settings.arch))
  show = progress.Progress("subnet", "step", flags.FLAGS.show_progress)
  result = jobs.train_subnet(
      run_dir, settings, flags.FLAGS.checkpoint_steps, show, flags.FLAGS.deterministic,
      launch.tell,
  )
  print(f"Subnet {result['string']}\n"
        f"  accuracy {result['accuracy']:.4f} on {result['part']} images"
        f"{class_accuracy.beside(result)}\n"
        f"  by class, worst first: {class_accuracy.by_class(result, result['class_names'])}\n"
        f"  {result['model']}")


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
