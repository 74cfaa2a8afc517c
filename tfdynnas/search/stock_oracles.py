"""keras-tuner's own oracles, with its arguments: the same seed is the same search, kill or not.

Not among them: Hyperband, which trains good trials for more epochs; here a trial is only scored.
"""

import keras_tuner
import numpy as np

from tfdynnas.search import durable


class RandomSearchOracle(durable.DurableOracle, keras_tuner.oracles.RandomSearchOracle):
  """Random search, until it draws 20 archs in a row that it has tried."""


class GridSearchOracle(durable.DurableOracle, keras_tuner.oracles.GridSearchOracle):
  """All combinations: the first has each hyperparameter's default, the last changes first."""

  def populate_space(self, trial_id):
    """Gives a trial the combination of its number.

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
  """Bayesian optimization, to which the choices of a decision are numbers in a row."""

  def __init__(self, *args, **kwargs):
    """Makes the oracle; arguments as those of keras-tuner's."""
    super().__init__(*args, **kwargs)
    settings = ("num_initial_points", "alpha", "beta")
    self._fingerprint.update({name: getattr(self, name) for name in settings})

  def populate_space(self, trial_id):
    """Gives a trial random values at first, then those that promise most.

    Args:
      trial_id: str, the number of the trial.

    Returns:
      dict with `status` and `values`, as keras-tuner's.
    """
    self._random_state = np.random.RandomState([self.seed, int(trial_id)])
    return super().populate_space(trial_id)
