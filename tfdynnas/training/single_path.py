"""SinglePath (SPOS): each step trains one arch, and tells CaLR and MS about it.

Source: Guo et al., SPOS (ECCV 2020); the telling is CaLR and MS of the CVPR 2025 paper.
"""

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.spaces import cells
from tfdynnas.training import backend
from tfdynnas.training import calr
from tfdynnas.training import ms
from tfdynnas.training import sampler as sampler_lib


@keras.saving.register_keras_serializable("tfdynnas")
class SinglePath:
  """The method of one path per step.

  Attributes:
    seed: Of the sampler and of the drawn split decision.
    split_decision: The decision whose choices are the momentum groups.
  """

  def __init__(self, space, seed=0, split_decision=None, prepare=None, allowed=None):
    """Makes the method.

    Args:
      space: spaces.Space.
      seed: int in [0, 2**32).
      split_decision: int; None draws it from the seed.
      prepare: Optional callable (batch, step) -> (images, labels) that runs inside the step, for
        example data augmentation; None takes batches of (images, labels) as they are.
      allowed: Sequence per decision of the choices to train; None trains all.

    Raises:
      InputError: There is no such decision, or not all of its choices are allowed.
    """
    choices = [len(decision.choices) for decision in space.decisions]
    self.sampler = sampler_lib.Uniform(choices, seed, allowed)
    free = sampler_lib.unrestricted(choices, self.sampler.allowed)
    if split_decision is None:
      split_decision = sampler_lib.split_decision(free, seed)
    self.space, self.seed, self.split_decision = space, seed, split_decision
    self.prepare = prepare
    self._check_split(free)
    fixed, table = space.table("complexity")
    self._fixed, self._table = float(fixed), table.astype(np.float32)

  def _check_split(self, free):
    count, split = len(self.space.decisions), self.split_decision
    if not 0 <= split < count:
      raise errors.InputError(f"`split_decision` must be in [0, {count}). Received: {split}")
    if split not in free:
      raise errors.InputError(
          "`split_decision` must be a decision whose choices are all trained, one of "
          f"{free}. Received: {split}, {self.space.decisions[split].name}"
      )

  @property
  def groups(self):
    """int, momentum groups: the choices of the split decision."""
    return len(self.space.decisions[self.split_decision].choices)

  def group(self, arch):
    """Momentum group of an arch, int32 scalar: its choice at the split decision."""
    return arch[self.split_decision]

  def complexity(self, arch):
    """Complexity of an arch inside a step, float32 scalar: exact below 2**24.

    Args:
      arch: int32 [decisions].
    """
    places = ops.expand_dims(arch, 1)
    return self._fixed + ops.sum(ops.take_along_axis(self._table, places, axis=1))

  def tell(self, optimizer, paths, on_path):
    """Tells schedule and optimizer which arch comes next, as far as they can listen.

    Args:
      optimizer: The one of `compile`; a LossScaleOptimizer is looked through.
      paths: int32 [1, decisions].
      on_path: Callable, paths -> bool tensors per weight; called only where wanted.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    schedule = getattr(optimizer, "_learning_rate", None)
    if isinstance(schedule, calr.CaLR):
      schedule.tell(self.complexity(paths[0]))
    if isinstance(optimizer, ms.MS):
      group = self.group(paths[0]) if optimizer.groups > 1 else 0
      optimizer.tell(group, on_path(paths) if optimizer.off_path == "frozen" else None)

  def check_compile(self, settings):
    """Refuses settings of `compile` that this back end cannot train with.

    Args:
      settings: dict, keyword arguments of `compile`.

    Raises:
      InputError: They hang or fail.
    """
    backend.check_compile(settings)

  def get_config(self):
    """Config for `from_config`; `prepare` belongs to the data and is not in it."""
    return {
        "space": cells.to_config(self.space), "seed": self.seed,
        "split_decision": self.split_decision, "allowed": self.sampler.get_config()["allowed"],
    }

  @classmethod
  def from_config(cls, config):
    """Makes the method of a config."""
    return cls(**{**config, "space": cells.from_config(config["space"])})

  def train_step(self, supernet, *args):
    """One step of `fit`, on this back end."""
    return backend.train_step(self, supernet, *args)
