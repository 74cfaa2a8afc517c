"""A run directory as the place of a search: its lock, the settings, the results."""

import contextlib
import dataclasses

import numpy as np
from keras import ops

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas import search as search_lib
from tfdynnas import spaces
from tfdynnas.files import identity
from tfdynnas.jobs import asked as asked_lib
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import scoring
from tfdynnas.jobs import setup
from tfdynnas.jobs import trained
from tfdynnas.search.distributed import roles
from tfdynnas.spaces import costs as costs_lib

KINDS = {"evolution": "EvolutionSearch", "pareto": "ParetoSearch"}  # SearchConfig.search -> class.
_LIMITS = {"params": "max_params", "macs": "max_macs", "bytes": "max_bytes"}
_PLAIN = ("objective", "unconnected", *scoring.FINGERPRINT)  # Same name in config and search.


class RunPlace:
  """The place of a run's search.

  Attributes:
    found: dict, the result of the search; None before its end.
  """

  def __init__(self, run_dir, config, made, locked):
    """Makes the place.

    Args:
      run_dir: RunDir whose supernet is trained.
      config: config.SearchConfig.
      made: setup.Setup of the run.
      locked: Whether the caller has locked the run; else it is locked while the search works.
    """
    self._run_dir, self._config, self._made, self._locked = run_dir, config, made, locked
    self.found = None

  def fingerprint(self, scored):
    """The settings of the scores; images and weights are fixed by the run."""
    return scored

  def working(self):
    """Context in which no other job works in the run."""
    if self._locked or roles.role() == "worker":
      return contextlib.nullcontext()
    return contextlib.closing(run_directory.RunDir(self._run_dir.path))

  def begun(self, search):
    """Records the settings, so that the search can be opened without them."""
    del search
    self._run_dir.write_json("search/search.json", self._config.as_dict())

  def ended(self, search):
    """Writes `found.json`, `trials.csv` and, for a front, `front.csv`."""
    history, folder, more = search.history(), self._run_dir.path / "search", {}
    config, front = self._config, None
    search.write_trials_csv(folder / "trials.csv")
    if config.search == "pareto":
      front = search.front(config.pareto_costs)
      search.write_trials_csv(folder / "front.csv", front)
      more = {"pareto_costs": list(config.pareto_costs), "front": [one["trial"] for one in front]}
    arch, row = search.best(front)  # At equal accuracy one on the front, which costs less.
    measured = self._recalibrate(list(arch))
    self.found = {**row, "arch": list(arch), "index": search.space.index(arch),
                  "trials": len(history), "objective": config.objective,
                  "majority_accuracy": measured.get("majority_accuracy"), **more}
    self._run_dir.write_json("search/found.json", self.found)

  def _recalibrate(self, arch):
    """Accuracy of a network by running statistics, as it would be served; measured once."""
    name, run_dir = "search/recalibrated.json", self._run_dir
    if (run_dir.path / name).exists() and run_dir.read_json(name)["arch"] == arch:
      return run_dir.read_json(name)
    made = self._made
    supernet = trained.load_supernet(run_dir, made.config, made.space)
    measured = scoring.recalibrated(supernet, made.config, made.data, self._config, arch)
    run_dir.write_json(name, {"arch": arch, **measured})
    return measured


def arguments(config):
  """The arguments of a search of `search.searches` that a config asks for: dict.

  Args:
    config: config.SearchConfig.
  """
  limits = {kind: getattr(config, name) for kind, name in _LIMITS.items()}
  limits["latency"] = config.max_latency
  settings = search_lib.Settings(
      population=config.population, parents=config.value("parents"), mutants=config.mutants,
      crossovers=config.crossovers, mutation_probability=config.mutation,
      generations=-(-config.trials // config.population),
  )
  costs = {"costs": config.pareto_costs} if config.search == "pareto" else {}
  return {
      **costs, "limits": {kind: most for kind, most in limits.items() if most},
      "max_trials": config.trials, "seed": config.search_seed, "settings": settings,
      "objective": config.objective, "unconnected": config.unconnected,
      **scoring.fingerprint(config),
  }


def searched(space, config):
  """The archs of a run that a config searches, with the additional costs that it asks for.

  Args:
    space: spaces.Space of the run.
    config: config.SearchConfig.

  Returns:
    spaces.Space.

  Raises:
    InputError: The latency table is of another space, or a choice is not one of the space.
  """
  space = setup.narrowed(space, config)
  if config.max_bytes or (config.search == "pareto" and "bytes" in config.pareto_costs):
    space = costs_lib.with_bytes(space)  # Only on request: it would be another search.
  if config.latency_table:
    space = costs_lib.read_latency(space, config.latency_table)
  return space


def place_of(directory, supernet, data, asked):
  """The place of a search made from a supernet and its data, in the run of both.

  Args:
    directory: Folder of a run.
    supernet: supernet.Supernet or supernet.FewShot.
    data: data.Data.
    asked: dict: `kind`, name of a class of `search.searches`; `space`; the items of `arguments`.

  Returns:
    RunPlace.

  Raises:
    InputError: The run has another supernet or other images, is not fully trained, or cannot
      record such a search.
  """
  run_dir = run_directory.RunDir(directory, locked=False)
  stored = run_dir.config()
  _check_images(run_dir, stored, data)
  _check_weights(run_dir, supernet)
  space = setup.stored_space(stored)
  config = _config(asked, space)
  _check_recorded(config, space, asked)
  supernet_config = config_lib.SupernetConfig.from_dict(stored["supernet"])
  return RunPlace(run_dir, config, setup.Setup(supernet_config, data, space), locked=False)


def _check_images(run_dir, stored, data):
  if data.record["fingerprint"] != stored["images"]["fingerprint"]:
    raise errors.InputError(
        f"`data` must be that of {run_dir.path}, or give another `directory`. Received: other "
        "images"
    )


def _check_weights(run_dir, supernet):
  """Refuses a supernet that the run did not train."""
  trained.check_trained(run_dir)
  mine = [ops.convert_to_numpy(weight) for weight in supernet.trainable_variables]
  config = config_lib.SupernetConfig.from_dict(run_dir.config()["supernet"])
  own = trained.load_supernet(run_dir, config, supernet.space)
  theirs = [ops.convert_to_numpy(weight) for weight in own.trainable_variables]
  same = type(own) is type(supernet) and len(mine) == len(theirs) and all(
      map(np.array_equal, mine, theirs))
  if not same:
    raise errors.InputError(
        f"`supernet` must be that of {run_dir.path}, or give another `directory`. Received: one "
        "of other weights"
    )


def _config(asked, space):
  """The config that asks for such a search of a run's space."""
  kinds = {kind: name for name, kind in KINDS.items()}
  if asked["kind"] not in kinds:
    raise errors.InputError(
        f"The search of a run is {' or '.join(kinds)}; give another `project_name` or `directory`. "
        f"Received: {asked['kind']}"
    )
  settings, limits = asked["settings"], spaces.as_mapping(asked["limits"])
  own = {name: limits[kind] for kind, name in _LIMITS.items() if kind in limits}
  narrowed = asked_lib.fix(asked["space"]) if asked["space"].allowed != space.allowed else ""
  return config_lib.SearchConfig.from_dict(dict(
      search=kinds[asked["kind"]], fix=narrowed, search_seed=asked["seed"],
      pareto_costs=tuple(asked.get("costs", ("params",))), population=settings.population,
      trials=asked["max_trials"] or settings.evaluations, parents=settings.parents,
      mutants=settings.mutants, crossovers=settings.crossovers,
      mutation=settings.mutation_probability, **own, **{name: asked[name] for name in _PLAIN},
  ))


def _check_recorded(config, space, asked):
  """Refuses a search that the config does not reproduce."""
  again = {**arguments(config), "max_trials": None}
  there = {**{name: asked[name] for name in again}, "max_trials": None}
  there["limits"] = spaces.as_mapping(asked["limits"])
  settings = dataclasses.replace(again["settings"], generations=there["settings"].generations)
  again["settings"], there["settings"] = map(dataclasses.asdict, (settings, there["settings"]))
  rule = "A run records a search that tools/search.py can be asked for; give another `directory`"
  identity.refuse_other(rule, again, there)
  identity.refuse_other(rule, costs_lib.describe(searched(space, config)),
                        costs_lib.describe(asked["space"]))
