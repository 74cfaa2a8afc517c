"""Searches over a trained supernet as tuners of keras-tuner, made of the supernet and its data."""

import functools
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras

from tfdynnas import data as data_lib
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import place as place_lib
from tfdynnas.search import scorer
from tfdynnas.search import stock_oracles
from tfdynnas.search import tuner
from tfdynnas.search.distributed import roles


class _Search(tuner.SupernetTuner):
  """A SupernetTuner that scores on the validation images of a Data.

  In a run directory it is the search of that run, which tools/search.py goes on with.
  """

  def __init__(self, supernet, data, asked, space=None, score_images=0, score_batch=256,
               calibration=0, directory=None, project_name="search", overwrite=False, score=None,
               place=None, **kwargs):
    """Makes the tuner.

    Args:
      supernet: Supernet or FewShot, trained; None with the last two.
      data: data.Data whose validation images are scored on; of a streamed set 10,000.
      asked: dict, arguments of the oracle.
      space: Space to search, of archs of the supernet; None: the supernet's.
      score_images: int, validation images to score on; 0: all, as above.
      score_batch: int >= 2, images that are normalised together.
      calibration: int, training images whose statistics normalise every batch; 0: each batch by
        its own.
      directory: As for SupernetTuner, or a run directory whose supernet this is.
      project_name: As for SupernetTuner; that of a run's search is `search`.
      overwrite: As for SupernetTuner.
      score: Callable that makes the scorer; None: of supernet and data.
      place: What hears of the search; None: of the directory.
      **kwargs: As for SupernetTuner: progress, lost_seconds.
    """
    scored = {"score_images": score_images, "score_batch": score_batch, "calibration": calibration}
    space = supernet.space if space is None else space
    self._place = place or _place(directory, project_name, supernet, data, {
        "kind": type(self).__name__, "space": space, **asked, **scored})
    score = _Late(score or functools.partial(
        scorer.on_data, supernet, data, **scored, seed=supernet.seed))
    oracle, more = self.make_oracle(space, fingerprint=scored, **asked)
    there = os.path.exists(os.path.join(directory or ".", project_name, "oracle.json"))
    with self._place.working():
      if roles.role() == "alone" and not there:
        score(next(space.archs()))  # What cannot be scored so is not begun.
      super().__init__(
          oracle, space, score, directory=directory, project_name=project_name,
          fingerprint=self._place.fingerprint(scored), overwrite=overwrite, **more, **kwargs)
      if not self._is_worker():
        self._place.begun(self)

  def search(  # type: ignore[override]  # keras-tuner's takes anything.
      self, verbose: int = 0, callbacks: Sequence[keras.callbacks.Callback] = ()
  ) -> None:
    """As of SupernetTuner; in a run directory it leaves what was found, as tools/search.py does."""
    with self._place.working():
      most = self.oracle.max_trials
      if (most is None or self.done < most) and roles.role() != "chief":
        self._score.make()  # Here, since what is raised in a trial would only fail the trial.
      super().search(verbose, callbacks)
      if not self._is_worker():
        self._place.ended(self)


class _Late:
  """A scorer that is made when it is needed: a finished search needs none."""

  def __init__(self, make):
    self._make, self._scorer = make, None

  def make(self):
    """The scorer, made unless that was done."""
    self._scorer = self._scorer or self._make()
    return self._scorer

  def subnet(self, arch):
    """The network of an arch, see scorer.Scorer."""
    return self.make().subnet(arch)

  def __call__(self, arch):
    return self.make()(arch)


def _place(directory, project_name, supernet, data, asked):
  """The run's, if the directory is one and the project its search; else a folder."""
  if project_name == "search" and os.path.exists(os.path.join(directory or ".", "config.json")):
    from tfdynnas.jobs import search_place  # Late and upward: what a run is, the jobs know.

    return search_place.place_of(directory or ".", supernet, data, asked)
  return place_lib.Folder(supernet, data)


def _made_with(kind):
  """Function of the arguments of an oracle of ours: (oracle, further ones of the tuner)."""
  return staticmethod(lambda space, **asked: (kind(space, **asked), {}))


def _made_with_limits_apart(kind):
  """The same of one of keras-tuner, which knows neither space nor limits."""
  def make(space, limits, objective, **asked):
    del space
    return kind(oracle_lib.objective(objective), **asked), {"limits": limits}

  return staticmethod(make)


class EvolutionSearch(_Search):
  """Searches for the most accurate subnet within limits, by evolution.

  A keras_tuner.Tuner whose trials are scored, not trained: `search`, `get_best_models`,
  `get_best_hyperparameters`, `results_summary`. Killed and made again, it goes on.

  Example:
    search = nas.EvolutionSearch(
        supernet, data, limits={"params": 15_000}, max_trials=4, directory="searches")
    search.search()
    network = search.get_best_models()[0]
  """

  make_oracle = _made_with(oracle_lib.EvolutionOracle)

  def __init__(
      self, supernet: keras.Model, data: data_lib.Data,
      limits: Mapping[str, float | None] | None = None, max_trials: int | None = None,
      seed: int = 0, objective: str = "accuracy",
      settings: oracle_lib.evolution.Settings = oracle_lib.evolution.Settings(),
      unconnected: bool = False, **kwargs,
  ):
    """Makes the tuner.

    Args:
      supernet: Supernet or FewShot, trained.
      data: data.Data, whose validation images are scored on.
      limits: Mapping of a kind of cost to the most allowed: params, macs, bytes, latency.
      max_trials: int >= 1, or None for what the settings say.
      seed: int in [0, 2**32).
      objective: `accuracy` or `balanced_accuracy`.
      settings: search.Settings of the evolution.
      unconnected: Whether to propose archs too through which no signal passes.
      **kwargs: space, score_images, score_batch, calibration; directory, a run directory or any
        other; project_name, progress, overwrite: see SupernetTuner.

    Raises:
      InputError: No arch meets the limits, or the project there is of another search.
    """
    super().__init__(supernet, data, {
        "limits": limits, "max_trials": max_trials, "seed": seed, "objective": objective,
        "settings": settings, "unconnected": unconnected}, **kwargs)


class ParetoSearch(_Search):
  """Searches for the front of accuracy against costs, by NSGA-II; `front()` gives it.

  Example:
    search = nas.ParetoSearch(
        supernet, data, costs=["params", "macs"], max_trials=4, directory="fronts")
    search.search()
    for row in search.front():
      print(row["params"], row["macs"], row["accuracy"])
  """

  make_oracle = _made_with(oracle_lib.ParetoOracle)

  def __init__(
      self, supernet: keras.Model, data: data_lib.Data, costs: Sequence[str] = ("params",),
      limits: Mapping[str, float | None] | None = None, max_trials: int | None = None,
      seed: int = 0, objective: str = "accuracy",
      settings: oracle_lib.evolution.Settings = oracle_lib.evolution.Settings(),
      unconnected: bool = False, **kwargs,
  ):
    """Makes the tuner.

    Args:
      supernet: As for EvolutionSearch, as is `data`.
      data: See above.
      costs: Kinds of cost, less is better.
      limits: As for EvolutionSearch, as are all others.
      max_trials: See above.
      seed: See above.
      objective: See above.
      settings: See above.
      unconnected: See above.
      **kwargs: See above.

    Raises:
      InputError: No arch meets the limits, or the project there is of another search.
    """
    super().__init__(supernet, data, {
        "costs": tuple(costs), "limits": limits, "max_trials": max_trials, "seed": seed,
        "objective": objective, "settings": settings, "unconnected": unconnected}, **kwargs)

  def front(self, costs: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The trials that no other surpasses in the objective and the costs, from the cheapest up."""
    return super().front(costs or self.oracle.costs)


class RandomSearch(_Search):
  """Scores random subnets.

  Example:
    search = nas.RandomSearch(supernet, data, max_trials=4, directory="random")
    search.search()
    print(search.best())
  """

  make_oracle = _made_with_limits_apart(stock_oracles.RandomSearchOracle)

  def __init__(
      self, supernet: keras.Model, data: data_lib.Data,
      limits: Mapping[str, float | None] | None = None, max_trials: int = 10, seed: int = 0,
      objective: str = "accuracy", **kwargs,
  ):
    """Makes the tuner; arguments as for EvolutionSearch."""
    super().__init__(supernet, data, {
        "limits": limits, "max_trials": max_trials, "seed": seed, "objective": objective}, **kwargs)


class BayesianOptimization(_Search):
  """Searches by a Gaussian process over the choices.

  Example:
    search = nas.BayesianOptimization(supernet, data, max_trials=4, directory="bayesian")
    search.search()
    print(search.get_best_hyperparameters()[0].values)
  """

  make_oracle = _made_with_limits_apart(stock_oracles.BayesianOptimizationOracle)

  def __init__(
      self, supernet: keras.Model, data: data_lib.Data,
      limits: Mapping[str, float | None] | None = None, max_trials: int = 10, seed: int = 0,
      objective: str = "accuracy", **kwargs,
  ):
    """Makes the tuner; arguments as for EvolutionSearch."""
    super().__init__(supernet, data, {
        "limits": limits, "max_trials": max_trials, "seed": seed, "objective": objective}, **kwargs)

