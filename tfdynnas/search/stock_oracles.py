"""keras-tuner's own oracles, with their arguments: a seed gives the same search even after kills.

Hyperband is left out: it trains good trials for more epochs, and here a trial is only scored.
"""

import keras_tuner
import numpy as np

from tfdynnas.search import durable


class RandomSearchOracle(durable.DurableOracle, keras_tuner.oracles.RandomSearchOracle):
  """Random search, until 20 draws in a row give archs that were tried before."""


class GridSearchOracle(durable.DurableOracle, keras_tuner.oracles.GridSearchOracle):
  """All combinations: the first has each hyperparameter's default, the last changes first."""

  def populate_space(self, trial_id):
    """Gives a trial the combination with its number.

    Args:
      trial_id: str, the number of the trial.

    Returns:
      dict with `status` (RUNNING, or STOPPED after the last) and `values`.
    """
    number, values = int(trial_id), {}
    for entry in reversed(self.hyperparameters.space):
      order = [entry.default, *(value for value in entry.values if value != entry.default)]
      number, place = divmod(number, len(order))
      values[entry.name] = order[place]
    if number:
      return {"status": "STOPPED", "values": None}
    return {"status": "RUNNING", "values": values}


class BayesianOptimizationOracle(
    durable.DurableOracle, keras_tuner.oracles.BayesianOptimizationOracle
):
  """Bayesian optimization, which sees the choices of a decision as ordered numbers."""

  def __init__(self, *args, **kwargs):
    """Makes the oracle; arguments as for keras-tuner's."""
    super().__init__(*args, **kwargs)
    settings = ("num_initial_points", "alpha", "beta")
    self._fingerprint.update({name: getattr(self, name) for name in settings})

  def populate_space(self, trial_id):
    """Gives a trial random values at first, then the most promising ones.

    Args:
      trial_id: str, the number of the trial.

    Returns:
      dict with `status` and `values`, as keras-tuner's.
    """
    self._random_state = np.random.RandomState([self.seed, int(trial_id)])
    return super().populate_space(trial_id)
