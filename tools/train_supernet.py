#!/usr/bin/env python3
"""Trains a supernet: tools/train_supernet.py --flagfile=flags/digits.cfg --run_dir=runs/digits"""

from absl import flags

from tfdynnas import config
from tfdynnas import errors
from tfdynnas.backend import tf_config
from tfdynnas.tools import launch
from tfdynnas.tools import progress

launch.define(
    __name__, config.DataConfig, config.SpaceConfig, config.SupernetConfig, config.DeviceConfig,
    config.ProbeConfig,
)


def main():
  """Parses, checks, trains, and prints the last row of the log."""
  data, space = launch.make(config.DataConfig), launch.make(config.SpaceConfig)
  supernet, devices = launch.make(config.SupernetConfig), launch.make(config.DeviceConfig)
  path = launch.run_dir()
  if launch.few_shot_flags():
    raise errors.InputError(
        "tools/train_few_shot.py and tools/nas.py train supernets in parts. "
        f"Received: --{launch.few_shot_flags()[0]}"
    )
  first = devices.distribution != "multi_worker" or tf_config.read()[0] == 0
  launch.import_quietly()
  from tfdynnas import jobs

  run_dir = jobs.RunDir(path, create=True, locked=first)
  show = progress.Progress("supernet", "step", flags.FLAGS.show_progress)
  _, rows = jobs.train_supernet(
      run_dir, data, space, supernet, devices, launch.text(), show,
      launch.make(config.ProbeConfig), launch.tell,
  )
  last = rows[-1]
  print(f"Supernet in {run_dir.path}: step {last['step']}, loss {last['loss']:.4f}, "
        f"accuracy {last['accuracy']:.4f} of the sampled subnets")


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
