"""What the methods share: the paths of a step, and what schedule and optimizer hear of them.

Source: CaLR and MS of "Subnet-Aware Dynamic Supernet Training" (CVPR 2025).
"""

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import hashing
from tfdynnas.spaces import configs
from tfdynnas.training import backend
from tfdynnas.training import calr
from tfdynnas.training import ms
from tfdynnas.training import sampler as sampler_lib

GROUPS = ("split", "random", "shared")
_GROUP = 0x67727570  # First counter of this use of the hash, "grup".


class Method:
  """A way to train a supernet; its kinds set `sampler`.

  Attributes:
    sampler: Callable, step -> int32 [paths, decisions].
    distils: bool: only the first path of a step learns from the labels, the others from it.
    seed: Of the sampler, of the drawn split decision and of random groups.
    state: keras.Layer of what the sampler has learnt, saved with the supernet; None if nothing.
    split_decision: The decision whose choices are the momentum groups.
  """

  distils = False
  state = None

  def __init__(
      self, space, seed=0, split_decision=None, prepare=None, allowed=None,
      momentum_groups="split", loss_calr=None,
  ):
    """Makes what the methods share.

    Args:
      space: spaces.Space.
      seed: int in [0, 2**32).
      split_decision: int; None draws it from the seed.
      prepare: Optional callable (batch, step) -> (images, labels) that runs inside the step, for
        example data augmentation; None takes batches of (images, labels) as they are.
      allowed: Sequence per decision of the choices to train; None trains all.
      momentum_groups: `split`: the group of an arch is its choice at the split decision; `random`:
        as many groups, by a hash of the arch, a control for MS; `shared`: one group.
      loss_calr: training.CaLR whose rate over its first one is the weight of a path's loss, for
        several paths a step; None weighs all alike.

    Raises:
      InputError: There is no such decision, or not all of its choices are allowed.
    """
    self.choices = [len(decision.choices) for decision in space.decisions]
    self.allowed = sampler_lib.restrict(self.choices, allowed)
    free = sampler_lib.unrestricted(self.choices, self.allowed)
    if split_decision is None:
      split_decision = sampler_lib.split_decision(free, seed)
    self.space, self.seed, self.split_decision = space, seed, split_decision
    self.prepare, self.momentum_groups, self.loss_calr = prepare, momentum_groups, loss_calr
    self._check_split(free)
    if momentum_groups not in GROUPS:
      raise errors.InputError(
          f"`momentum_groups` must be one of {GROUPS}. Received: {momentum_groups!r}"
      )
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
    """int, momentum groups: the choices of the split decision, or 1."""
    return 1 if self.momentum_groups == "shared" else self.choices[self.split_decision]

  def group(self, arch):
    """Momentum group of an arch, int32 scalar.

    Args:
      arch: int32 [decisions]; with random groups, the archs of all paths of the step in a row.
    """
    if self.momentum_groups == "split":
      return arch[self.split_decision]
    if self.momentum_groups == "shared":
      return ops.convert_to_tensor(0, "int32")
    bits = hashing.uniform_uint32(self.seed, _GROUP, *ops.unstack(arch))
    return hashing.integers(bits, self.groups)

  def complexity(self, arch):
    """Complexity inside a step, float32, exact below 2**24.

    Args:
      arch: int32 [decisions], or [paths, decisions].

    Returns:
      Scalar, or [paths].
    """
    one = len(arch.shape) == 1
    places = ops.expand_dims(arch, 1) if one else ops.transpose(arch)
    own = ops.take_along_axis(self._table, places, axis=1)
    return self._fixed + ops.sum(own, axis=None if one else 0)

  def tell(self, optimizer, paths, on_path):
    """Tells schedule and optimizer which archs come next, as far as they can listen.

    Args:
      optimizer: The one of `compile`; a LossScaleOptimizer is looked through.
      paths: int32 [paths, decisions].
      on_path: Callable, paths -> bool tensors per weight; called only where wanted.
    """
    optimizer, schedule = _seen_through(optimizer)
    one = paths.shape[0] == 1
    if isinstance(schedule, calr.CaLR):
      schedule.tell(self.complexity(paths[0] if one else paths))
    if isinstance(optimizer, ms.MS):
      group = 0
      if optimizer.groups > 1:
        several = self.momentum_groups == "random" and not one
        group = self.group(ops.reshape(paths, [-1]) if several else paths[0])
      optimizer.tell(group, on_path(paths) if optimizer.off_path == "frozen" else None)

  def weights(self, optimizer, paths, step):
    """Weight of each path's loss in the sum that a step of several paths differentiates.

    Where the optimizer's own schedule is CaLR, its rate is the mean of the paths' rates and these
    are what each path's rate is to that mean: so each gradient moves the weights at its own rate.

    Args:
      optimizer: The one of `compile`.
      paths: int32 [paths, decisions].
      step: int32 scalar.

    Returns:
      float32 [paths].
    """
    if self.loss_calr is not None:
      first = self.loss_calr.learning_rate
      return self.loss_calr.rate(step, self.complexity(paths)) / first
    _, schedule = _seen_through(optimizer)
    if isinstance(schedule, calr.CaLR):
      rates = schedule.rate(step, self.complexity(paths))
      return ops.divide_no_nan(rates, ops.mean(rates))
    return ops.ones([paths.shape[0]])

  def draw(self, batch, step):
    """What a step trains on in place of a batch, before `prepare`; here the batch itself.

    Args:
      batch: What the data set yields.
      step: int32 scalar.

    Returns:
      A batch for `prepare`.
    """
    del step
    return batch

  def observe(self, supernet, step, paths, gradients):
    """Hears of the gradients of a step before they are applied; here it does nothing.

    Args:
      supernet: supernet.Supernet.
      step: int32 scalar.
      paths: int32 [paths, decisions].
      gradients: List of tensors, one per trainable weight, of this device's images.
    """

  def note(self, step, batch, labels, logits):
    """Hears what became of the images of a step; here it does nothing.

    Args:
      step: int32 scalar.
      batch: What `draw` gave.
      labels: int32 [batch], of this device's images.
      logits: float32 [paths * batch, classes], of the weights before the step.
    """

  def check_compile(self, settings):
    """Refuses settings of `compile` that this method or this back end cannot train with.

    Args:
      settings: dict, keyword arguments of `compile`.

    Raises:
      InputError: They hang or fail.
    """
    _, schedule = _seen_through(settings.get("optimizer"))
    paths = self.sampler(0).shape[0]
    if isinstance(schedule, calr.CaLR) and schedule.paths != paths:
      raise errors.InputError(
          f"CaLR needs paths={paths}, as many as a step trains. Received: {schedule.paths}"
      )
    backend.check_compile(settings)

  def get_config(self):
    """Config for `from_config`; `prepare` belongs to the data and is not in it."""
    return {
        "space": configs.to_config(self.space), "seed": self.seed,
        "split_decision": self.split_decision, "allowed": [list(own) for own in self.allowed],
        "momentum_groups": self.momentum_groups,
        "loss_calr": keras.saving.serialize_keras_object(self.loss_calr),
    }

  @classmethod
  def from_config(cls, config):
    """Makes the method of a config."""
    weigh = keras.saving.deserialize_keras_object(config["loss_calr"])
    return cls(**{**config, "space": configs.from_config(config["space"]), "loss_calr": weigh})

  def train_step(self, supernet, *args):
    """One step of `fit`, on this back end."""
    return backend.train_step(self, supernet, *args)


def _seen_through(optimizer):
  """(optimizer, schedule) behind whatever scales the loss."""
  optimizer = getattr(optimizer, "inner_optimizer", optimizer)
  return optimizer, getattr(optimizer, "_learning_rate", None)
