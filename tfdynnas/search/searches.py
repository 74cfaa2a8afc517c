"""Searches over a trained supernet as tuners of keras-tuner, made of the supernet and its data."""

import functools
import hashlib

from keras import ops

from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search import scorer
from tfdynnas.search import stock_oracles
from tfdynnas.search import tuner


class _Search(tuner.SupernetTuner):
  """A SupernetTuner that scores on the validation images of a Data."""

  def __init__(self, supernet, data, oracle, score_batch=250, calibration=0,
               project_name="search", **kwargs):
    """Makes the tuner.

    Args:
      supernet: Supernet or FewShot, trained.
      data: data.Data whose validation images are scored on; of a streamed set 10,000.
      oracle: As for SupernetTuner.
      score_batch: int >= 2, images that are normalised together.
      calibration: int, training images whose statistics normalise every batch; 0: each batch by
        its own.
      project_name: As for SupernetTuner.
      **kwargs: As for SupernetTuner: directory, limits, progress, overwrite.
    """
    reference = feeds.drawn(data.train, calibration, 0).images if calibration else None
    score = scorer.Scorer(
        supernet, feeds.valid_batches(data, 0, score_batch, 0),
        functools.partial(augment.eval_images, mean=data.mean, std=data.std), reference,
    )
    described = {
        "images": data.record["fingerprint"], "weights": _digest(supernet),
        "score_batch": score_batch, "calibration": calibration,
    }
    super().__init__(
        oracle, supernet.space, score, project_name=project_name, fingerprint=described, **kwargs)


class EvolutionSearch(_Search):
  """Searches for the most accurate subnet within limits, by evolution.

  A keras_tuner.Tuner whose trials are scored, not trained: `search`, `get_best_models`,
  `get_best_hyperparameters`, `results_summary`. Killed and made again, it goes on.

  Example:
    search = EvolutionSearch(supernet, data, limits={"params": 40_000}, directory="searches")
    search.search()
    network = search.get_best_models()[0]
  """

  def __init__(self, supernet, data, limits=None, max_trials=None, seed=0, objective="accuracy",
               settings=oracle_lib.evolution.Settings(), **kwargs):
    """Makes the tuner.

    Args:
      supernet: Supernet or FewShot, trained.
      data: data.Data, whose validation images are scored on.
      limits: Mapping of a kind of cost to the most allowed: params, macs, bytes, latency.
      max_trials: int >= 1, or None for what the settings say.
      seed: int in [0, 2**32).
      objective: `accuracy` or `balanced_accuracy`.
      settings: search.Settings of the evolution.
      **kwargs: score_batch, calibration, directory, project_name, progress, overwrite: see
        SupernetTuner.

    Raises:
      InputError: No arch meets the limits, or the project there is of another search.
    """
    oracle = oracle_lib.EvolutionOracle(
        supernet.space, limits, settings, seed, max_trials, objective=objective)
    super().__init__(supernet, data, oracle, **kwargs)


class ParetoSearch(_Search):
  """Searches for the front of accuracy against costs, by NSGA-II; `front()` gives it."""

  def __init__(self, supernet, data, costs=("params",), limits=None, max_trials=None, seed=0,
               objective="accuracy", settings=oracle_lib.evolution.Settings(), **kwargs):
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
      **kwargs: See above.

    Raises:
      InputError: No arch meets the limits, or the project there is of another search.
    """
    oracle = oracle_lib.ParetoOracle(
        supernet.space, costs, limits, settings, seed, max_trials, objective=objective)
    self._costs = oracle.costs
    super().__init__(supernet, data, oracle, **kwargs)

  def front(self, costs=None):
    """The trials that no other surpasses in the objective and the costs, from the cheapest up."""
    return super().front(costs or self._costs)


class RandomSearch(_Search):
  """Scores random subnets."""

  def __init__(self, supernet, data, limits=None, max_trials=10, seed=0, objective="accuracy",
               **kwargs):
    """Makes the tuner; arguments as for EvolutionSearch."""
    oracle = stock_oracles.RandomSearchOracle(
        oracle_lib.objective(objective), max_trials=max_trials, seed=seed)
    super().__init__(supernet, data, oracle, limits=limits, **kwargs)


class BayesianOptimization(_Search):
  """Searches by a Gaussian process over the choices."""

  def __init__(self, supernet, data, limits=None, max_trials=10, seed=0, objective="accuracy",
               **kwargs):
    """Makes the tuner; arguments as for EvolutionSearch."""
    oracle = stock_oracles.BayesianOptimizationOracle(
        oracle_lib.objective(objective), max_trials=max_trials, seed=seed)
    super().__init__(supernet, data, oracle, limits=limits, **kwargs)


def _digest(supernet):
  """Hex digest of a supernet's weights: a search goes on with the same alone."""
  digest = hashlib.sha256()
  for weight in supernet.trainable_variables:
    digest.update(ops.convert_to_numpy(weight).tobytes())
  return digest.hexdigest()[:16]
