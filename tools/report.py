#!/usr/bin/env python3
"""Writes the report of a run, one page of HTML: tools/report.py --run_dir=runs/digits"""

from tfdynnas import config
from tfdynnas.tools import launch

launch.define(__name__, config.TruthConfig)


def main():
  """Parses, checks, writes the page, and prints its path."""
  settings, path = launch.make(config.TruthConfig), launch.run_dir()
  launch.import_quietly()
  from tfdynnas import jobs

  run_dir = jobs.RunDir(path, locked=False)
  launch.check_same(run_dir.config())
  print(jobs.run_report(run_dir, settings))


def run():
  """Console command."""
  launch.start(__name__, main)


if __name__ == "__main__":
  run()
