"""The second job: search the trained supernet of a run."""

import functools

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import scoring
from tfdynnas.jobs import search_place
from tfdynnas.jobs import setup
from tfdynnas.jobs import trained
from tfdynnas.search.distributed import roles


def run_search(run_dir, config, progress=None):
  """Searches, or resumes the search; writes `search/found.json` and `search/trials.csv`.

  A search for a front also writes `search/front.csv`; `search/recalibrated.json` has the accuracy
  of the network found by running statistics. As the chief of a distributed search, which
  keras-tuner's environment variables set up, it scores nothing itself.

  Args:
    run_dir: RunDir whose supernet is trained.
    config: config.SearchConfig.
    progress: Callable (done, total, row or None), called after each trial.

  Returns:
    (found, history): dict of the most accurate arch, and for a front its costs and trial numbers;
    list of dicts, one per trial.

  Raises:
    InputError: There is no trained supernet, no arch meets the limits, the latency table is of
      another space, or the run holds a search of other settings.
    LostError: This is the chief, and every worker is silent.
  """
  if roles.role() == "worker":
    raise errors.InputError("A worker of a search runs tools/search.py. Received: another job")
  search, place = _make(run_dir, config, True, progress)
  search.search()
  return place.found, search.history()


def run_worker(run_dir, config):
  """Scores the archs that the chief of a search proposes, until it stops.

  Args:
    run_dir: RunDir of the chief, in the folder that all share; opened without a lock.
    config: config.SearchConfig, the chief's.

  Returns:
    int, trials that this worker scored.

  Raises:
    InputError: `run_search` would refuse, or the chief works in another folder.
    LostError: The chief is silent.
  """
  search, _ = _make(run_dir, config, True)
  search.search()
  return search.done


def open_search(run_dir):
  """The search of a run with its last settings: a tuner that can resume.

  Args:
    run_dir: RunDir, opened without a lock: the search keeps others out while it works.

  Returns:
    search.searches.EvolutionSearch or ParetoSearch.

  Raises:
    InputError: There is none, or an earlier version began it, which did not record its settings.
  """
  asked = config_lib.stored_search(run_dir.path)
  if not asked:
    raise errors.InputError(
        f"{run_dir.path} must be searched first, or gone on with by tools/search.py if an older "
        "version did. Received: no search/search.json"
    )
  return _make(run_dir, config_lib.SearchConfig(**asked), False)[0]


def _make(run_dir, config, locked, progress=None):
  """(search, place): one of `search.searches`, and its RunPlace."""
  from tfdynnas.search import searches  # Late: other jobs run without keras-tuner.

  made = setup.reload(run_dir)
  trained.check_trained(run_dir)
  run_directory.check_folder(run_dir.path / "search")
  place = search_place.RunPlace(run_dir, config, made, locked)
  space = search_place.searched(made.space, config)
  asked = search_place.arguments(config)
  asked["max_trials"] = min(config.trials, space.count)
  search = getattr(searches, search_place.KINDS[config.search])(
      None, made.data, space=space, place=place, directory=str(run_dir.path), progress=progress,
      score=functools.partial(scoring.make_scorer, run_dir, *made, config),
      lost_seconds=config.lost_seconds, **asked,
  )
  return search, place


def limited(space, config):
  """The archs that a search may find.

  Args:
    space: spaces.Space of the run.
    config: config.SearchConfig.

  Returns:
    spaces.LimitedSpace.

  Raises:
    InputError: No arch meets the limits.
  """
  from tfdynnas.search import searches  # Late, as in `_make`.

  kind, asked = getattr(searches, search_place.KINDS[config.search]), search_place.arguments(config)
  asked = {name: value for name, value in asked.items() if name not in scoring.FINGERPRINT}
  return kind.make_oracle(search_place.searched(space, config), **asked)[0].limited


def cost_ranges(run_dir, config):
  """The least and the greatest costs of a run's subnets, to choose limits by.

  Args:
    run_dir: RunDir that was claimed.
    config: config.SearchConfig.

  Returns:
    str, "params 1,234 to 5,678, macs 10,000 to 20,000", and further costs that can be limited.

  Raises:
    InputError: The latency table is of another space.
  """
  space = search_place.searched(setup.stored_space(run_dir.config()), config)
  kinds = [kind for kind in space.costs if kind != "complexity"]
  return ", ".join("{} {} to {}".format(kind, *map(_readable, space.bounds(kind)))
                   for kind in kinds)


def _readable(number):
  return f"{number:,.4g}" if isinstance(number, float) else f"{number:,}"
