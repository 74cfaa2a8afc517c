#!/usr/bin/env python3
"""Trains a supernet in parts, one for each choice, or group of choices, of one decision.

tools/train_few_shot.py --flagfile=flags/digits_few_shot.cfg --run_dir=runs/digits_few_shot

The same command resumes the training; several processes share the parts, and one that finds none
free says so and ends. tools/nas.py trains the parts and then runs the rest of the chain.
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
  """Parses, checks, trains the unfinished parts, and prints the state of each."""
  data, space = launch.make(config.DataConfig), launch.make(config.SpaceConfig)
  supernet, few_shot = launch.make(config.SupernetConfig), launch.make(config.FewShotConfig)
  devices, path = launch.make(config.DeviceConfig), launch.run_dir()
  launch.refuse_workers()
  launch.import_quietly()
  from tfdynnas import jobs

  run_dir = jobs.RunDir(path, create=True, shared=True)
  parts = jobs.train_few_shot(
      run_dir, data, space, supernet, few_shot, devices, launch.text(),
      progress.of_parts(flags.FLAGS.show_progress), launch.make(config.ProbeConfig),
      launch.tell,
  )
  print(f"Few-shot supernet in {run_dir.path}")
  for part in parts:
    print(f"  part {part['part']} ({', '.join(part['choices'])}): {_state(part['row'])}")
  elsewhere = [str(part["part"]) for part in parts if part["row"] is None]
  if elsewhere:
    print(f"Other processes train {', '.join(elsewhere)}. The same command, when they have ended "
          "or died, says how these are or trains them to the end.")


def _state(row):
  """The state of a part, as text."""
  if row is None:
    return "in work by another process"
  return f"step {row['step']}, loss {row['loss']:.4f}, accuracy {row['accuracy']:.4f}"


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
