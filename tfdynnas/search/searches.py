"""Searches over a trained supernet, as tuners of keras-tuner made from a supernet and its data."""

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

  In a run directory it is the search of that run, which tools/search.py can resume.
  """

  def __init__(self, supernet, data, asked, space=None, score_images=0, score_batch=256,
               calibration=0, directory=None, project_name="search", overwrite=False, score=None,
               place=None, **kwargs):
    """Makes the tuner.

    Args:
      supernet: Supernet or FewShot, trained; None if `space`, `score` and `place` are given.
      data: data.Data with the validation images to score on.
      asked: dict, arguments of the oracle.
      space: Space to search, of archs of the supernet; None: the supernet's.
      score_images: int, validation images to score on; 0: all, or 10,000 of a streamed set.
      score_batch: int >= 2, images that are normalised together.
      calibration: int, training images whose statistics normalise every batch; 0: each batch by
        its own statistics.
      directory: Folder of projects, or the run directory of this supernet.
      project_name: Folder of this search in `directory`; in a run it is `search`.
      overwrite: Whether to delete an existing project.
      score: Callable that makes the scorer; None: from supernet and data.
      place: Where the search is stored, such as place.Folder; None: by the directory.
      **kwargs: Further arguments of SupernetTuner: progress, lost_seconds, start_seconds.
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
        score(next(space.archs()))  # A search that cannot score must not begin.
      super().__init__(
          oracle, space, score, directory=directory, project_name=project_name,
          fingerprint=self._place.fingerprint(scored), overwrite=overwrite, **more, **kwargs)
      if not self._is_worker():
        self._place.begun(self)

  def search(  # type: ignore[override]  # keras-tuner's takes anything.
      self, verbose: int = 0, callbacks: Sequence[keras.callbacks.Callback] = ()
  ) -> None:
    """Searches as SupernetTuner; in a run directory, writes the results of tools/search.py too."""
    with self._place.working():
      most = self.oracle.max_trials
      if (most is None or self.done < most) and roles.role() != "chief":
        self._score.make()  # Here, since an error within a trial would only fail the trial.
      super().search(verbose, callbacks)
      if not self._is_worker():
        self._place.ended(self)


class _Late:
  """A scorer that is made on first use: a finished search needs none."""

  def __init__(self, make):
    self._make, self._scorer = make, None

  def make(self):
    """The scorer, made on the first call."""
    self._scorer = self._scorer or self._make()
    return self._scorer

  def subnet(self, arch):
    """The network of an arch, see scorer.Scorer."""
    return self.make().subnet(arch)

  def __call__(self, arch):
    return self.make()(arch)


def _place(directory, project_name, supernet, data, asked):
  """The run's place, if the directory is a run and the project its search; else a folder."""
  if project_name == "search" and os.path.exists(os.path.join(directory or ".", "config.json")):
    from tfdynnas.jobs import search_place  # Late and upward: only the jobs know what a run is.

    return search_place.place_of(directory or ".", supernet, data, asked)
  return place_lib.Folder(supernet, data)


def _made_with(kind):
  """Function from arguments to (oracle, arguments of the tuner), for an oracle of this package."""
  return staticmethod(lambda space, **asked: (kind(space, **asked), {}))


def _made_with_limits_apart(kind):
  """The same function for an oracle of keras-tuner, which knows neither space nor limits."""
  def make(space, limits, objective, **asked):
    del space
    return kind(oracle_lib.objective(objective), **asked), {"limits": limits}

  return staticmethod(make)


class EvolutionSearch(_Search):
  """Searches for the most accurate subnet within limits, by evolution.

  A keras_tuner.Tuner whose trials are scored, not trained: `search`, `get_best_models`,
  `get_best_hyperparameters`, `results_summary`. After a kill, make it again to resume.

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
      data: data.Data with the validation images to score on.
      limits: Mapping of a kind of cost to the most allowed: params, macs, bytes, latency.
      max_trials: int >= 1, or None for `settings.evaluations`.
      seed: int in [0, 2**32).
      objective: `accuracy` or `balanced_accuracy`.
      settings: search.Settings of the evolution.
      unconnected: Whether to propose even archs that no signal passes through.
      **kwargs: space, score_images, score_batch, calibration; directory, a run directory or any
        other; project_name, progress, overwrite: see SupernetTuner.

    Raises:
      InputError: No arch meets the limits, or the project is of another search.
    """
    super().__init__(supernet, data, {
        "limits": limits, "max_trials": max_trials, "seed": seed, "objective": objective,
        "settings": settings, "unconnected": unconnected}, **kwargs)


class ParetoSearch(_Search):
  """Searches for the Pareto front of accuracy against costs, by NSGA-II; `front()` returns it.

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
      supernet: Supernet or FewShot, trained.
      data: data.Data with the validation images to score on.
      costs: Kinds of cost, less is better.
      limits: Mapping of a kind of cost to the most allowed.
      max_trials: int >= 1, or None for `settings.evaluations`.
      seed: int in [0, 2**32).
      objective: `accuracy` or `balanced_accuracy`.
      settings: search.Settings of the evolution, whose `parents` are ignored.
      unconnected: Whether to propose even archs that no signal passes through.
      **kwargs: Further arguments of EvolutionSearch.

    Raises:
      InputError: No arch meets the limits, or the project is of another search.
    """
    super().__init__(supernet, data, {
        "costs": tuple(costs), "limits": limits, "max_trials": max_trials, "seed": seed,
        "objective": objective, "settings": settings, "unconnected": unconnected}, **kwargs)

  def front(self, costs: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The trials that no other dominates in the objective and the costs, from the cheapest up."""
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

