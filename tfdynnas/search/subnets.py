"""The subnets of a search as a hypermodel of keras-tuner: each trial as a model."""

from typing import Any

import keras
import keras_tuner

from tfdynnas import errors
from tfdynnas.search import hyperparameters


class Subnets(keras_tuner.HyperModel):
  """Makes the network that hyperparameters describe, with the weights that it was scored with."""

  def __init__(self, space, score):
    """Makes the hypermodel.

    Args:
      space: Space.
      score: Callable of the search; models need one with `subnet`, such as scorer.Scorer.
    """
    super().__init__()
    self._space, self._score = space, score

  def build(self, hp: Any) -> keras.Model:
    """The network of the arch that hyperparameters describe.

    Args:
      hp: keras_tuner.HyperParameters.

    Returns:
      keras.Model, not compiled.

    Raises:
      InputError: The score has no `subnet`, or the hyperparameters describe no arch.
    """
    if not hasattr(self._score, "subnet"):
      raise errors.InputError(
          "Models of trials need a `score` with a method `subnet(arch)`, such as scorer.Scorer. "
          f"Received: {type(self._score).__name__}"
      )
    return self._score.subnet(hyperparameters.to_arch(self._space, hp))


class ModelTuner(keras_tuner.engine.base_tuner.BaseTuner):
  """Mixin before a BaseTuner with `history` and `rank`: makes the models, which no trial stores."""

  def _populate_initial_space(self):
    """Does nothing: the oracle has all hyperparameters, so no model is built to find them."""

  def _best_trials(self, count):
    """The trials of the best rows of `history`, ordered as by `best`."""
    trials = {int(trial_id): trial for trial_id, trial in self.oracle.trials.items()}
    rows = sorted(self.history(), key=self.rank, reverse=True)
    return [trials[row["trial"]] for row in rows[:count]]

  def get_best_hyperparameters(
      self, num_trials: int = 1
  ) -> list[keras_tuner.HyperParameters]:
    """The hyperparameters of the best trials within the limits, best first, ordered as by `best`.

    Args:
      num_trials: Int, the most to return.

    Returns:
      list of keras_tuner.HyperParameters, from which `hypermodel.build` makes models.
    """
    return [trial.hyperparameters for trial in self._best_trials(num_trials)]

  def get_best_models(self, num_models: int = 1) -> list[keras.Model]:
    """The networks of the best trials within the limits, best first, ordered as by `best`.

    Args:
      num_models: Int, the most to return.

    Returns:
      list of keras.Model, see `load_model`.

    Raises:
      InputError: The score has no `subnet`.
    """
    return [self.load_model(trial) for trial in self._best_trials(num_models)]

  def load_model(self, trial: Any) -> keras.Model:
    """The network of a trial, with the weights that it was scored with.

    Args:
      trial: keras_tuner.engine.trial.Trial.

    Returns:
      keras.Model, not compiled, as `score.subnet` returns it: normalised images -> logits.

    Raises:
      InputError: The score has no `subnet`.
    """
    return self.hypermodel.build(trial.hyperparameters)

  def save_model(self, trial_id: str, model: keras.Model, step: int = 0) -> None:
    """Refuses to save: trials share the weights of one supernet.

    Raises:
      InputError: Always.
    """
    raise errors.InputError(
        "A trial has no model of its own to save: `load_model` takes it from the supernet. "
        f"Received: one for trial {trial_id}"
    )
