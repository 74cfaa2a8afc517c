"""The second job: search the trained supernet of a run."""

import functools

from tfdynnas import search as search_lib
from tfdynnas.runs import scoring
from tfdynnas.runs import setup
from tfdynnas.runs import trained


def run_search(run_dir, config, progress=None):
  """Searches by evolution, or goes on with the search; leaves `search/found.json` and a CSV.

  Args:
    run_dir: RunDir whose supernet is trained.
    config: config.SearchConfig.
    progress: Callable (done, total, row or None), called after each trial.

  Returns:
    (found, history): dict of the best arch; list of dicts, one per trial.

  Raises:
    InputError: No supernet to search, limits that nothing meets, or the search of other settings.
  """
  from tfdynnas.search import tuner as tuner_lib  # Late: other jobs run without keras-tuner.

  supernet_config, data, space = setup.reload(run_dir)
  trained.check_trained(run_dir)
  fingerprint = scoring.fingerprint(config)
  oracle = _oracle(space, config, fingerprint)
  scorer = _Late(
      functools.partial(scoring.make_scorer, run_dir, supernet_config, data, space, config)
  )
  tuner = tuner_lib.SupernetTuner(
      oracle, space, scorer, directory=str(run_dir.path), project_name="search",
      fingerprint=fingerprint, progress=progress,
  )
  if len(oracle.end_order) < oracle.max_trials:
    scorer.make()  # Here, since what is raised within a trial would only fail the trial.
  tuner.search()
  history = tuner.history()
  arch, row = tuner.best()
  found = {**row, "arch": list(arch), "index": space.index(arch), "trials": len(history)}
  tuner.write_trials_csv(run_dir.path / "search" / "trials.csv")
  run_dir.write_json("search/found.json", found)
  return found, history


def _oracle(space, config, fingerprint):
  """The evolution that the config says."""
  from tfdynnas.search import oracle as oracle_lib

  limits = search_lib.Limits(config.max_params or None, config.max_macs or None)
  settings = search_lib.Settings(
      population=config.population, parents=config.parents, mutants=config.mutants,
      crossovers=config.crossovers, mutation_probability=config.mutation,
      generations=-(-config.trials // config.population),
  )
  return oracle_lib.EvolutionOracle(
      space, limits, settings, config.search_seed, max_trials=min(config.trials, space.size),
      fingerprint=fingerprint,
  )


class _Late:
  """A scorer that is made when it is needed: a finished search needs none."""

  def __init__(self, make):
    self._make, self._scorer = make, None

  def make(self):
    """Makes the scorer."""
    self._scorer = self._make()

  def __call__(self, arch):
    return self._scorer(arch)
