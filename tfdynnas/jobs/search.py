"""The second job: search the trained supernet of a run."""

import functools

from tfdynnas import errors
from tfdynnas import search as search_lib
from tfdynnas import spaces
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import scoring
from tfdynnas.jobs import setup
from tfdynnas.jobs import trained
from tfdynnas.search.distributed import roles
from tfdynnas.spaces import costs as costs_lib


def run_search(run_dir, config, progress=None):
  """Searches, or goes on with the search; leaves `search/found.json` and `search/trials.csv`.

  A search for a front also leaves it as `search/front.csv`; what the network found does by running
  statistics is in `search/recalibrated.json`. As the chief of a search by several,
  which keras-tuner's variables of the environment say, it scores nothing itself.

  Args:
    run_dir: RunDir whose supernet is trained.
    config: config.SearchConfig.
    progress: Callable (done, total, row or None), called after each trial.

  Returns:
    (found, history): dict of the most accurate arch, and of a front its costs and the numbers of
    its trials; list of dicts, one per trial.

  Raises:
    InputError: No supernet to search, limits that nothing meets, a latency table of another
      space, or the search of other settings.
    LostError: As the chief: every worker is silent.
  """
  if roles.role() == "worker":
    raise errors.InputError("A worker of a search runs tools/search.py. Received: another job")
  tuner, scorer, made = _make_tuner(run_dir, config, progress)
  if tuner.done < tuner.oracle.max_trials and roles.role() != "chief":
    scorer.make()  # Here, since what is raised within a trial would only fail the trial.
  tuner.search()
  return _write(run_dir, tuner, config, made)


def run_worker(run_dir, config):
  """Scores what the chief of a search proposes, until it stops.

  Args:
    run_dir: RunDir of the chief, whose folder all share; opened without a lock.
    config: config.SearchConfig, the chief's.

  Returns:
    int, trials that this worker scored.

  Raises:
    InputError: As `run_search`, or the chief works in another folder.
    LostError: The chief is silent.
  """
  tuner, scorer, _ = _make_tuner(run_dir, config, None)
  scorer.make()
  tuner.search()
  return tuner.done


def _make_tuner(run_dir, config, progress):
  """(tuner, scorer, made): a SupernetTuner, what it scores with, and the setup.Setup of the run."""
  from tfdynnas.search import tuner as tuner_lib  # Late: other jobs run without keras-tuner.

  made = setup.reload(run_dir)
  trained.check_trained(run_dir)
  run_directory.check_folder(run_dir.path / "search")
  fingerprint = scoring.fingerprint(config)
  searched = _budgeted(setup.narrowed(made.space, config), config)
  oracle = _oracle(searched, config, fingerprint)
  scorer = _Late(
      functools.partial(scoring.make_scorer, run_dir, *made, config)
  )
  if roles.role() == "alone" and not (run_dir.path / "search" / "oracle.json").exists():
    scorer(next(searched.archs()))  # What cannot be scored so is not begun.
  tuner = tuner_lib.SupernetTuner(
      oracle, searched, scorer, directory=str(run_dir.path), project_name="search",
      fingerprint=fingerprint, progress=progress, lost_seconds=config.lost_seconds,
  )
  return tuner, scorer, made


def check(space, config):
  """Refuses a search that cannot be: limits that nothing meets, a latency table of another space.

  Args:
    space: spaces.Space of the run.
    config: config.SearchConfig.

  Raises:
    InputError: It cannot.
  """
  limited(space, config)


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
  return _oracle(_budgeted(setup.narrowed(space, config), config), config, {}).limited


def cost_ranges(run_dir, config):
  """What the subnets of a run cost at least and at most, to know limits by.

  Args:
    run_dir: RunDir that was claimed.
    config: config.SearchConfig.

  Returns:
    str, "params 1,234 to 5,678, macs 10,000 to 20,000", and what else may be limited.

  Raises:
    InputError: A latency table of another space.
  """
  space = _budgeted(setup.narrowed(setup.stored_space(run_dir.config()), config), config)
  kinds = [kind for kind in space.costs if kind != "complexity"]
  return ", ".join("{} {:,} to {:,}".format(kind, *space.bounds(kind)) for kind in kinds)


def _write(run_dir, tuner, config, made):
  """Leaves what an ended search found; returns it as `run_search`."""
  history, folder, more = tuner.history(), run_dir.path / "search", {}
  tuner.write_trials_csv(folder / "trials.csv")
  front = tuner.front(config.pareto_costs) if config.search == "pareto" else None
  if front is not None:
    tuner.write_trials_csv(folder / "front.csv", front)
    more = {"pareto_costs": list(config.pareto_costs), "front": [one["trial"] for one in front]}
  arch, row = tuner.best(front)  # Of equal accuracy, one on the front: it costs less.
  measured = _recalibrate(run_dir, made, config, list(arch))
  found = {**row, "arch": list(arch), "index": tuner.space.index(arch), "trials": len(history),
           "objective": config.objective,
           "majority_accuracy": measured.get("majority_accuracy"), **more}
  run_dir.write_json("search/found.json", found)
  return found, history


def _recalibrate(run_dir, made, config, arch):
  """What the network found does by running statistics, as it would be served; measured once."""
  name = "search/recalibrated.json"
  if (run_dir.path / name).exists() and run_dir.read_json(name)["arch"] == arch:
    return run_dir.read_json(name)
  supernet = trained.load_supernet(run_dir, made.config, made.space)
  measured = scoring.recalibrated(supernet, made.config, made.data, config, arch)
  run_dir.write_json(name, {"arch": arch, **measured})
  return measured


def _budgeted(space, config):
  """The space with the further costs that the config asks for; others would be another search."""
  if config.max_bytes or (config.search == "pareto" and "bytes" in config.pareto_costs):
    space = costs_lib.with_bytes(space)
  if config.latency_table:
    space = costs_lib.read_latency(space, config.latency_table)
  return space


def _oracle(space, config, fingerprint):
  """The evolution that the config says."""
  from tfdynnas.search import oracle as oracle_lib

  limits = spaces.Limits(
      config.max_params, config.max_macs, config.max_bytes, config.max_latency)
  settings = search_lib.Settings(
      population=config.population, parents=config.value("parents"), mutants=config.mutants,
      crossovers=config.crossovers, mutation_probability=config.mutation,
      generations=-(-config.trials // config.population),
  )
  make = oracle_lib.EvolutionOracle
  if config.search == "pareto":
    make = functools.partial(oracle_lib.ParetoOracle, costs=config.pareto_costs)
  return make(
      space, limits=limits, settings=settings, seed=config.search_seed,
      max_trials=min(config.trials, space.count), fingerprint=fingerprint,
      objective=config.objective, unconnected=config.unconnected,
  )


class _Late:
  """A scorer that is made when it is needed: a finished search needs none."""

  def __init__(self, make):
    self._make, self._scorer = make, None

  def make(self):
    """Makes the scorer, unless that was done."""
    self._scorer = self._scorer or self._make()

  def __call__(self, arch):
    self.make()
    return self._scorer(arch)
