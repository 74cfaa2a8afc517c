"""The common base of methods: the paths of a step, and what schedule and optimizer learn of them.

Source: CaLR and MS of "Subnet-Aware Dynamic Supernet Training" (CVPR 2025).
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import hashing
from tfdynnas import spaces
from tfdynnas.backend import current
from tfdynnas.optimizers import calr
from tfdynnas.optimizers import losses
from tfdynnas.optimizers import ms
from tfdynnas.optimizers import schedules
from tfdynnas.sampling import uniform as uniform_lib

GROUPS = ("split", "random", "shared")
_GROUP = 0x67727570  # First counter of this use of the hash, "grup".


class Method:
  """A way to train a supernet; subclasses set `sampler`.

  `Supernet.compile` binds the space if it was not given, `Supernet.fit` what depends on the images.

  Attributes:
    sampler: Callable, step -> int32 [paths, decisions].
    distils: bool, whether only the first path of a step learns from the labels, the others from it.
    seed: Seed of the sampler, of the drawn split decision and of random groups.
    state: keras.Layer of the sampler's state, saved with the supernet; None if it has none.
    split_decision: The decision whose choices are the momentum groups.
  """

  # Further settings of a run that a subclass takes: see training.recipe.
  SETTINGS: tuple[str, ...] = ()
  space: Any  # None until it is bound.
  sampler: Callable
  distils = False
  state: keras.Layer | None = None

  def __init__(
      self, space: spaces.Space | None = None, seed: int = 0,
      split_decision: int | None = None, prepare: Callable | None = None,
      allowed: Sequence[Sequence[int]] | None = None,
      momentum_groups: str = "split", loss_calr: calr.CaLR | None = None,
  ):
    """Makes what all methods share.

    Args:
      space: spaces.Space; None: bound later.
      seed: int in [0, 2**32).
      split_decision: int; None draws it from the seed.
      prepare: Optional callable (batch, step) -> (images, labels) that runs inside the step, for
        example data augmentation; None takes batches of (images, labels) as they are.
      allowed: Sequence per decision of the choices to train; None: those that the space allows.
      momentum_groups: `split`: the group of an arch is its choice at the split decision, counted
        among the trained ones; `random`: as many groups, by a hash of the arch, a control for MS;
        `shared`: one group.
      loss_calr: optimizers.CaLR whose rate, relative to its first, is the weight of a path's loss,
        for several paths a step; None weights all equally.

    Raises:
      InputError: There is no such decision, or not all of its choices are allowed.
    """
    if momentum_groups not in GROUPS:
      raise errors.InputError(
          f"`momentum_groups` must be one of {GROUPS}. Received: {momentum_groups!r}"
      )
    self.space, self.seed = None, seed
    self.prepare, self.momentum_groups, self.loss_calr = prepare, momentum_groups, loss_calr
    self._split, self._allowed = split_decision, allowed
    if space is not None:
      self.bind(space)

  def bind(self, space: spaces.Space) -> None:
    """Sets the space, unless there is one; subclasses also make what depends on it.

    Args:
      space: spaces.Space.

    Raises:
      InputError: As for the class.
    """
    if self.space is not None:
      return
    self.choices = [len(decision.choices) for decision in space.decisions]
    self.allowed = space.restrict(self._allowed).allowed
    free = uniform_lib.splittable(space, self.allowed)
    drawn = uniform_lib.split_decision(free, self.seed) if self._split is None else self._split
    self.space, self.split_decision = space, drawn
    self._check_split(free)
    fixed, table = space.table("complexity")
    self._fixed, self._table = float(fixed), table.astype(np.float32)

  def __getattr__(self, name):
    if name in ("choices", "allowed", "split_decision", "sampler"):
      raise errors.InputError(
          f"{type(self).__name__} needs `space`: give it, or compile a supernet with it. "
          "Received: none"
      )
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

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
  def groups(self) -> int:
    """int, momentum groups: the trained choices of the split decision, or 1."""
    return 1 if self.momentum_groups == "shared" else len(self.allowed[self.split_decision])

  def group(self, arch: Any) -> Any:
    """Momentum group of an arch, int32 scalar.

    Args:
      arch: int32 [decisions]; with random groups, all archs of the step joined into one.
    """
    if self.momentum_groups == "split":
      place = self.split_decision
      if self.groups == self.choices[place]:
        return arch[place]
      numbers = np.zeros(self.choices[place], np.int32)
      numbers[list(self.allowed[place])] = range(self.groups)
      return ops.take(numbers, arch[place])
    if self.momentum_groups == "shared":
      return ops.convert_to_tensor(0, "int32")
    bits = hashing.uniform_uint32(self.seed, _GROUP, *ops.unstack(arch))
    return hashing.integers(bits, self.groups)

  def complexity(self, arch: Any) -> Any:
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

  def tell(self, optimizer: keras.Optimizer, paths: Any, on_path: Callable) -> None:
    """Passes the next archs to schedule and optimizer, if these are CaLR and MS.

    Args:
      optimizer: Optimizer of `compile`; it may be in a LossScaleOptimizer.
      paths: int32 [paths, decisions].
      on_path: Callable, paths -> bool tensors per weight; called only if needed.
    """
    optimizer, schedule = schedules.seen_through(optimizer)
    one = paths.shape[0] == 1
    if isinstance(schedule, calr.CaLR):
      schedule.tell(self.complexity(paths[0] if one else paths))
    if isinstance(optimizer, ms.MS):
      group = 0
      if optimizer.groups > 1:
        several = self.momentum_groups == "random" and not one
        group = self.group(ops.reshape(paths, [-1]) if several else paths[0])
      optimizer.tell(group, on_path(paths) if optimizer.off_path == "frozen" else None)

  def weights(self, optimizer: keras.Optimizer, paths: Any, step: Any) -> Any:
    """Weight of each path's loss in the sum that a step of several paths differentiates.

    If the optimizer's own schedule is CaLR, its rate is the mean of the paths' rates, and a weight
    is the ratio of a path's rate to that mean: so each gradient moves the weights at its own rate.

    Args:
      optimizer: Optimizer of `compile`.
      paths: int32 [paths, decisions].
      step: int32 scalar.

    Returns:
      float32 [paths].
    """
    if self.loss_calr is not None:
      first = self.loss_calr.learning_rate
      return self.loss_calr.rate(step, self.complexity(paths)) / first
    _, schedule = schedules.seen_through(optimizer)
    if isinstance(schedule, calr.CaLR):
      rates = schedule.rate(step, self.complexity(paths))
      return ops.divide_no_nan(rates, ops.mean(rates))
    return ops.ones([paths.shape[0]])

  def draw(self, batch: Any, step: Any) -> Any:
    """The batch that a step trains on, before `prepare`; here the one given.

    Args:
      batch: What the data set yields.
      step: int32 scalar.

    Returns:
      A batch for `prepare`.
    """
    del step
    return batch

  def observe(self, supernet: keras.Model, step: Any, paths: Any, gradients: list) -> None:
    """Called with the gradients of a step before they are applied; here it does nothing.

    Args:
      supernet: supernet.Supernet.
      step: int32 scalar.
      paths: int32 [paths, decisions].
      gradients: List of tensors, one per trainable weight, of this device's images.
    """

  def note(self, step: Any, batch: Any, labels: Any, logits: Any) -> None:
    """Called with the logits of a step; here it does nothing.

    Args:
      step: int32 scalar.
      batch: What `draw` gave.
      labels: int32 [batch], of this device's images.
      logits: float32 [paths * batch, classes], of the weights before the step.
    """

  def bind_compile(self, space: spaces.Space, settings: dict[str, Any]) -> dict[str, Any]:
    """Binds missing arguments when a supernet is compiled, and completes its settings.

    Args:
      space: spaces.Space of the supernet.
      settings: dict, keyword arguments of `compile`.

    Returns:
      dict, these with the missing loss, metrics and `jit_compile` added.

    Raises:
      InputError: This method or this backend cannot train with them.
    """
    self.bind(space)
    optimizer, schedule = schedules.seen_through(settings["optimizer"])
    if isinstance(optimizer, keras.optimizers.MultiOptimizer):
      raise errors.InputError(
          "`optimizer` must be one that a method can tell what comes next. Received: MultiOptimizer"
      )
    self._bind_schedule(schedule, self.sampler(0).shape[0])
    self._bind_schedule(self.loss_calr, 1)
    if isinstance(optimizer, ms.MS):
      self._bind_groups(optimizer)
    found = {"loss": losses.crossentropy(), "metrics": ["accuracy"],
             "jit_compile": current.jit_compile}
    found.update((key, value) for key, value in settings.items() if value is not None)
    current.check_compile({**found, "optimizer": optimizer})
    return found

  def _bind_schedule(self, schedule, paths):
    if not isinstance(schedule, calr.CaLR):
      return
    c_min, c_max = self.space.bounds("complexity")
    if c_min == c_max and schedule.c_max is None:
      raise errors.InputError("CaLR needs subnets of different complexity. Received: all alike")
    schedule.bind(c_min=c_min, c_max=c_max, paths=paths)
    if schedule.paths != paths:
      raise errors.InputError(
          f"CaLR needs paths={paths}, as many as a step trains. Received: {schedule.paths}"
      )

  def _bind_groups(self, optimizer):
    optimizer.bind(self.groups)
    if 1 < optimizer.groups < self.groups:
      raise errors.InputError(
          f"MS needs groups={self.groups}, as many as the method has, or 1 for a single momentum. "
          f"Received: {optimizer.groups}"
      )

  def bind_fit(
      self, optimizer: keras.Optimizer, done: int, steps: int, epochs: int, images: int = 0
  ) -> None:
    """Binds what depends on the length of the training.

    Args:
      optimizer: Optimizer of `compile`.
      done: int >= 0, steps trained so far.
      steps: int >= 1, steps of the whole training, these included.
      epochs: int >= 1, of the whole training.
      images: int, held images that a step may draw from; 0 if they are streamed.

    Raises:
      InputError: The training has begun with fewer steps bound.
    """
    del epochs, images
    _, schedule = schedules.seen_through(optimizer)
    for own in (schedule, self.loss_calr):
      if isinstance(own, calr.CaLR):
        if own.steps is None or not done:
          own.bind(steps=steps)
        elif own.steps < steps and not own.is_given("steps"):
          raise errors.InputError(
              f"CaLR was bound to the {own.steps} steps of the first `fit`: give it `steps`, those "
              f"of the whole training, or compile again. Received: a `fit` to step {steps}"
          )

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`; `prepare` belongs to the data and is not in it."""
    bound = self.space is not None
    allowed = self.allowed if bound else self._allowed
    return {
        "space": spaces.to_config(self.space) if bound else None, "seed": self.seed,
        "split_decision": self.split_decision if bound else self._split,
        "allowed": None if allowed is None else [list(own) for own in allowed],
        "momentum_groups": self.momentum_groups,
        "loss_calr": keras.saving.serialize_keras_object(self.loss_calr),
    }

  @classmethod
  def from_config(cls, config: dict[str, Any]) -> "Method":
    """Makes the method from its config."""
    weigh = keras.saving.deserialize_keras_object(config["loss_calr"])
    space = config["space"] and spaces.from_config(config["space"])
    return cls(**{**config, "space": space, "loss_calr": weigh})

  def step(self, supernet: keras.Model, batch: Any) -> dict[str, Any]:
    """One training step: draws archs, passes them on, differentiates and updates.

    Args:
      supernet: supernet.Supernet, compiled, its optimizer built.
      batch: What the data set yields; `prepare` makes (images, labels) of it.

    Returns:
      dict, metric name -> value; of several paths the mean.
    """
    optimizer, weights = supernet.optimizer, supernet.trainable_variables
    step = ops.convert_to_tensor(optimizer.iterations)
    batch = self.draw(batch, step)
    images, labels = self.prepare(batch, step) if self.prepare else batch
    paths = self.sampler(step)
    count = paths.shape[0]
    self.tell(optimizer, paths, supernet.on_path)
    factors = self.weights(optimizer, paths, step) if count > 1 else None
    gradients, loss, logits = current.differentiate(
        supernet, images, labels, paths, factors, self.distils
    )
    self.observe(supernet, step, paths, gradients)
    self.note(step, batch, labels, logits)
    optimizer.apply(gradients, weights)
    labels = ops.concatenate([labels] * count, axis=0) if count > 1 else labels
    for metric in supernet.metrics:
      if metric.name == "loss":
        metric.update_state(loss)
      else:
        metric.update_state(labels, logits)
    return supernet.get_metrics_result()
