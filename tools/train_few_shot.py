#!/usr/bin/env python3
"""Trains a supernet in parts, one for each choice, or group of choices, of one decision.

tools/train_few_shot.py --flagfile=flags/digits_few_shot.cfg --run_dir=runs/digits_few_shot

The same command again goes on with it; several at once share the parts between them.
"""

from absl import flags

from tfdynnas import config
from tfdynnas.tools import launch
from tfdynnas.tools import progress

launch.define(
    __name__, config.DataConfig, config.SpaceConfig, config.SupernetConfig, config.FewShotConfig,
    config.DeviceConfig, config.ProbeConfig,
)


def main():
  """Parses, checks, trains what is left to train, and says how each part is."""
  data, space = launch.make(config.DataConfig), launch.make(config.SpaceConfig)
  supernet, few_shot = launch.make(config.SupernetConfig), launch.make(config.FewShotConfig)
  devices, path = launch.make(config.DeviceConfig), launch.run_dir()
  launch.import_quietly()
  from tfdynnas import runs

  run_dir = runs.RunDir(path, create=True, shared=True)
  parts = runs.train_few_shot(
      run_dir, data, space, supernet, few_shot, devices, launch.text(__name__),
      lambda part: progress.Progress(f"part {part}", "step", flags.FLAGS.show_progress),
      launch.make(config.ProbeConfig),
  )
  print(f"Few-shot supernet in {run_dir.path}")
  for part in parts:
    print(f"  part {part['part']} ({', '.join(part['choices'])}): {_state(part['row'])}")


def _state(row):
  """How a part is, in words."""
  if row is None:
    return "in work by another process"
  return f"step {row['step']}, loss {row['loss']:.4f}, accuracy {row['accuracy']:.4f}"


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
