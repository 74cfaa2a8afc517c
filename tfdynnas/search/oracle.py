"""The evolutionary searches as keras-tuner oracles, whose only state is their trials."""

import dataclasses

import keras_tuner

from tfdynnas import class_accuracy
from tfdynnas import errors
from tfdynnas.search import evolution
from tfdynnas.search import hyperparameters
from tfdynnas.search import pareto
from tfdynnas.search.durable import DurableOracle
from tfdynnas.spaces import costs as costs_lib
from tfdynnas.spaces import limits as limits_lib

_IDLE = {"status": "IDLE", "values": None}
_STOPPED = {"status": "STOPPED", "values": None}


def objective(name="accuracy"):
  """The objective that a search of this package maximises.

  Args:
    name: `accuracy`, or `balanced_accuracy`, the mean over the classes.

  Returns:
    keras_tuner.Objective.

  Raises:
    InputError: It is neither.
  """
  if name not in class_accuracy.OBJECTIVES:
    raise errors.InputError(
        f"`objective` must be one of {', '.join(class_accuracy.OBJECTIVES)}. Received: {name!r}"
    )
  return keras_tuner.Objective(name, "max")


_objective = objective  # For a function with an argument of that name.


class EvolutionOracle(DurableOracle):
  """Proposes archs by evolution; the next one depends on the trials alone.

  A generation is proposed when all trials of the previous one have ended, and workers wait until
  then: so the order in which parallel workers end them does not matter.

  Attributes:
    limited: LimitedSpace that is searched.
    settings: evolution.Settings.
  """

  def __init__(self, space, limits=None, settings=evolution.Settings(), seed=0, max_trials=None,
               fingerprint=None, objective="accuracy", unconnected=False, **kwargs):
    """Makes the oracle.

    Args:
      space: Space.
      limits: Limits, or a mapping of kind to greatest cost, or None.
      settings: evolution.Settings.
      seed: Int in [0, 2**32), or None for a random one.
      max_trials: Most archs to evaluate, or None for `settings.evaluations`.
      fingerprint: Further JSON values that identify the search (supernet, data): a project is
        resumed only with the same values.
      objective: `accuracy`, or `balanced_accuracy`, the mean over the classes.
      unconnected: Whether to propose even archs that no signal passes through.
      **kwargs: Further arguments of keras_tuner.Oracle; `hyperparameters` narrow the space.

    Raises:
      InputError: No arch meets the limits, or the seed or `max_trials` is out of range.
    """
    if max_trials is not None and max_trials < 1:
      raise errors.InputError(f"`max_trials` must be >= 1. Received: max_trials={max_trials}")
    space, kwargs = hyperparameters.narrow_oracle(space, **kwargs)
    self.limited = limits_lib.LimitedSpace(space, limits, connected=not unconnected)
    self.settings = settings
    self._generation = None, ()
    super().__init__(
        objective=_objective(objective),
        max_trials=max_trials or settings.evaluations,
        seed=seed,
        fingerprint={
            **_described(self.limited, settings, objective), "connected": not unconnected,
            **(fingerprint or {}),
        },
        **kwargs,
    )

  def set_state(self, state):
    """Takes the state of oracle.json.

    A state without `connected` is of a version that proposed archs that no signal passes through;
    a search resumed from it proposes them too.

    Raises:
      InputError: It is of another search.
    """
    if "connected" not in (state.get("fingerprint") or {}):
      self._fingerprint.pop("connected", None)
      self.limited = limits_lib.LimitedSpace(self.limited.space, self.limited.limits)
    super().set_state(state)

  def populate_space(self, trial_id):
    """Gives a trial its arch.

    Args:
      trial_id: str, the number of the trial.

    Returns:
      dict with `status` (RUNNING, IDLE while the previous generation runs, STOPPED when every arch
      within the limits was visited) and `values`.
    """
    generation, place = divmod(int(trial_id), self.settings.population)
    if self._generation[0] != generation:
      earlier = sorted(self.trials, key=int)[: generation * self.settings.population]
      trials = [self.trials[trial_id] for trial_id in earlier]
      if self.ongoing_trials and any(_runs(trial) for trial in trials):
        return _IDLE
      self._generation = generation, self._propose(generation, trials)
    proposed = self._generation[1]
    if place >= len(proposed):
      return _STOPPED
    values = hyperparameters.to_values(self.limited.space, proposed[place])
    return {"status": "RUNNING", "values": values}

  def _propose(self, generation, trials):
    """The archs of a generation after the trials of all earlier ones."""
    evaluated = [(self._arch(trial), _fitness(trial)) for trial in trials]
    return evolution.propose(self.limited, self.settings, self.seed, generation, evaluated)

  def _arch(self, trial):
    return hyperparameters.to_arch(self.limited.space, trial.hyperparameters)


class ParetoOracle(EvolutionOracle):
  """Proposes archs towards the Pareto front of accuracy against costs, by NSGA-II.

  Attributes:
    costs: tuple of str, the kinds of cost.
  """

  def __init__(self, space, costs=("params",), limits=None, settings=evolution.Settings(), seed=0,
               max_trials=None, fingerprint=None, **kwargs):
    """Makes the oracle.

    Args:
      space: Space.
      costs: Kinds of cost that the space has, at least one; less is better.
      limits: Limits, or a mapping of kind to greatest cost, or None.
      settings: evolution.Settings, whose `parents` are ignored: `population` archs survive.
      seed: Int in [0, 2**32), or None for a random one.
      max_trials: Most archs to evaluate, or None for `settings.evaluations`.
      fingerprint: Further JSON values that identify the search.
      **kwargs: Further arguments of EvolutionOracle and keras_tuner.Oracle.

    Raises:
      InputError: See EvolutionOracle; or the space does not have one of the costs.
    """
    self.costs = pareto.check_costs(space, costs)
    super().__init__(space, limits, settings, seed, max_trials,
                     {"pareto_costs": ",".join(self.costs), **(fingerprint or {})}, **kwargs)

  def set_state(self, state):
    """Takes the state of oracle.json, whatever its `parents`, which are ignored.

    Raises:
      InputError: It is of another search.
    """
    before = (state.get("fingerprint") or {}).get("settings")
    if isinstance(before, dict) and "parents" in before:
      self._fingerprint["settings"]["parents"] = before["parents"]
    super().set_state(state)

  def _propose(self, generation, trials):
    evaluated = []
    for trial in trials:
      arch, scored = self._arch(trial), trial.status == "COMPLETED"
      point = pareto.point(self.limited.space, arch, trial.score, self.costs) if scored else None
      evaluated.append((arch, point))
    return pareto.propose(self.limited, self.settings, self.seed, generation, evaluated)


def _described(limited, settings, objective):
  """The settings that identify a search, for its fingerprint."""
  evolution_settings = dataclasses.asdict(settings)
  del evolution_settings["generations"]  # More of them is the same search, continued.
  described = {
      "space": costs_lib.describe(limited.space), "limits": limited.limits,
      "settings": evolution_settings,
  }
  # The default is left out, as in searches made before there was a choice.
  return described if objective == "accuracy" else {**described, "objective": objective}


def _runs(trial):
  return trial.status not in ("COMPLETED", "FAILED")


def _fitness(trial):
  """(accuracy, -loss), greater is better; None for a failed trial."""
  if trial.status != "COMPLETED":
    return None
  loss = trial.metrics.get_last_value("loss") if trial.metrics.exists("loss") else 0.0
  return float(trial.score), -float(loss)
