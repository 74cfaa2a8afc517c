#!/usr/bin/env python3
"""How many random changes of the pure modules do their own tests notice? The extra is `mutants`.

tools/mutants.py --mutants=60 --seed=0

cosmic-ray makes them one at a time in a copy of the checkout. Those that no test noticed are
printed: each is a test that is missing, or no change at all.
"""

import contextlib
import json
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

from absl import flags

from tfdynnas import errors
from tfdynnas.tools import launch

flags.DEFINE_integer("mutants", 60, "Changes to try.", lower_bound=1, module_name=sys.argv[0])
flags.DEFINE_integer("seed", 0, "Seed of their choice.", lower_bound=0, module_name=sys.argv[0])
ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = {
    "tfdynnas/spaces": "tests/spaces",
    "tfdynnas/sampling": "tests/sampling",
    "tfdynnas/optimizers/calr.py": "tests/optimizers/calr_test.py",
    "tfdynnas/optimizers/ms.py":
        "tests/optimizers/ms_test.py tests/optimizers/current_subnet_test.py",
    "tfdynnas/analysis/rank_metrics.py": "tests/analysis/rank_metrics_test.py",
    "tfdynnas/analysis/ranking.py": "tests/analysis/ranking_test.py",
    "tfdynnas/search/evolution.py": "tests/search/evolution_test.py",
}
COSMIC_RAY = (sys.executable, "-m", "cosmic_ray.cli")
SECONDS = 600  # For the tests of one change; what loops for ever is noticed too.
UNTRIED = "DELETE FROM {} WHERE job_id NOT IN ({})"
RESULTS = """SELECT module_path, start_pos_row, test_outcome, diff FROM mutation_specs
             JOIN work_results USING (job_id)"""


def main():
  """Prints what was not noticed, then the share that was."""
  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    copy = folder / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "runs", "__pycache__"))
    sessions = [_session(copy, folder / str(i), *item) for i, item in enumerate(TESTS.items())]
    _draw(sessions)
    tried = noticed = 0
    for session in sessions:
      _call(copy, "exec", session / "config.toml", session / "changes.sqlite")
      for module, row, outcome, diff in _read(session, RESULTS):
        tried, noticed = tried + 1, noticed + (outcome != "SURVIVED")
        if outcome == "SURVIVED":
          print(f"Not noticed: {module}:{row}\n{diff}", flush=True)
  print(f"{noticed} of {tried} changes noticed")


def _session(copy, folder, modules, tests):
  """The folder of the session of some modules, with all changes that can be made of them."""
  command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider {tests}"
  folder.mkdir()
  (folder / "config.toml").write_text(
      f"[cosmic-ray]\nmodule-path = {json.dumps(modules)}\ntimeout = {SECONDS}\n"
      f"excluded-modules = []\ntest-command = {json.dumps(command)}\n"
      '[cosmic-ray.distributor]\nname = "local"\n')
  _call(copy, "init", folder / "config.toml", folder / "changes.sqlite")
  _call(copy, "baseline", folder / "config.toml")
  return folder


def _draw(sessions):
  """Leaves as many changes of all sessions as were asked for."""
  jobs = sorted(
      (number, spec) for number, session in enumerate(sessions)
      for spec in _read(session, "SELECT module_path, start_pos_row, start_pos_col, operator_name, "
                                 "occurrence, job_id FROM mutation_specs"))
  count = min(flags.FLAGS.mutants, len(jobs))
  drawn = random.Random(flags.FLAGS.seed).sample(jobs, count)
  print(f"{count} of {len(jobs)} possible changes", flush=True)
  for number, session in enumerate(sessions):
    kept = ", ".join(f"'{spec[-1]}'" for own, spec in drawn if own == number)
    with _open(session) as database, database:  # The second commits.
      for table in ("mutation_specs", "work_items"):
        database.execute(UNTRIED.format(table, kept))


def _open(session):
  return contextlib.closing(sqlite3.connect(session / "changes.sqlite"))


def _read(session, query):
  with _open(session) as database:
    return database.execute(query).fetchall()


def _call(copy, *command):
  done = subprocess.run(
      [*COSMIC_RAY, *map(str, command)], cwd=copy, capture_output=True, text=True, check=False)
  if done.returncode:
    raise errors.InputError(
        f"cosmic-ray must be installed and the tests green. Received: {done.stderr[-500:]}")


if __name__ == "__main__":
  launch.start(__name__, main)
