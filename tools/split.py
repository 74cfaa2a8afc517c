#!/usr/bin/env python3
"""Finds which decision to cut in two for few-shot training: tools/split.py --run_dir=runs/digits"""

import shlex

from absl import flags

from tfdynnas import config
from tfdynnas.tools import launch
from tfdynnas.tools import progress

launch.define(__name__, config.SplitConfig)


def main():
  """Parses, compares gradients, and prints the decisions, the one to cut first."""
  settings, path = launch.make(config.SplitConfig), launch.run_dir()
  launch.import_quietly()
  from tfdynnas import jobs

  run_dir = jobs.RunDir(path)
  launch.check_same(run_dir.config())
  found = jobs.run_split(
      run_dir, settings, progress.Progress("split", "path", flags.FLAGS.show_progress)
  )
  print(f"{'decision':<10}  {'groups':<14}  {'across':>8}  {'within':>8}")
  for row in found["decisions"]:
    print(f"{row['name']:<10}  {row['groups']:<14}  {row['score']:8.4f}  {row['within']:8.4f}")
  go_on = [f"--flagfile={run_dir.path / 'flags.cfg'}", *found["flags"],
           f"--init_from={run_dir.path}", f"--run_dir={run_dir.path}_parts"]
  print(f"Go on: tools/train_few_shot.py {shlex.join(go_on)}")


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
