"""PathImportance (PA): each step trains one arch, its choices drawn by their past gradients.

Source: Lu et al., PA&DA (CVPR 2023), its path importance; PADA draws images as well.
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
from tfdynnas.backend import variable_rows as variable_rows_lib
from tfdynnas.methods import importance
from tfdynnas.methods import method

_IMPORTANCE = 0x696D7074  # First counter of this use of the hash, "impt".


@keras.saving.register_keras_serializable("tfdynnas")
class PathImportance(method.Method):
  """A method of one path per step, all decisions drawn from one distribution over the choices.

  Choices of the same name are one; a decision without it draws from the others. The importance of a
  choice is the gradient norm of its kernel, summed over the cells and divided by its count in the
  path; at each step with the choice, half of the last value stays. Choices without a kernel have
  none. Epoch e of E draws by tau * importance / sum + (1 - tau) / choices, tau = e / E: uniformly
  at first, at last mostly choices with kernels.

  Paths are a pure function of (seed, step, distribution), and the distribution is in `state`.

  Example:
    supernet.compile(nas.MS(nas.CaLR(0.05)), method=nas.PathImportance())
    print(supernet.method.groups)  # Momentum groups, the choices of one decision.
  """

  SETTINGS: tuple[str, ...] = ("steps", "epochs")

  def __init__(
      self, space: spaces.Space | None = None, seed: int = 0,
      split_decision: int | None = None, prepare: Callable | None = None,
      allowed: Sequence[Sequence[int]] | None = None,
      steps: int | None = None, epochs: int | None = None, **kwargs,
  ):
    """Makes the method and its state; call it in the strategy's scope.

    Args:
      space: spaces.Space; None: bound by `Supernet.compile`.
      seed: int in [0, 2**32).
      split_decision: int; None draws it from the seed.
      prepare: As for methods.Method.
      allowed: Sequence per decision of the choices to train; None: as the space.
      steps: int >= 1, of the whole training; None: bound by `Supernet.fit`, as is epochs.
      epochs: int >= 1, of the whole training.
      **kwargs: As for methods.Method.

    Raises:
      InputError: There is no such decision or choice, or a number is out of range.
    """
    for name, value in (("steps", steps), ("epochs", epochs)):
      if value is not None and value < 1:
        raise errors.InputError(f"`{name}` must be >= 1. Received: {value}")
    self._steps, self._epochs = steps, epochs
    super().__init__(space, seed, split_decision, prepare, allowed, **kwargs)

  def bind(self, space: spaces.Space) -> None:
    """Sets the space, unless there is one, and makes the state."""
    if self.space is not None:
      return
    super().bind(space)
    names = list(dict.fromkeys(name for own in space.decisions for name in own.choices))
    self._names = np.zeros([len(self.choices), max(self.choices)], np.int32)  # By number.
    for row, own in zip(self._names, space.decisions):
      row[:len(own.choices)] = [names.index(name) for name in own.choices]
    self.state = self.paths = importance.OfChoices(len(names))
    self.sampler = self._sample

  def bind_fit(
      self, optimizer: keras.Optimizer, done: int, steps: int, epochs: int, images: int = 0
  ) -> None:
    """Binds what depends on the length of the training."""
    super().bind_fit(optimizer, done, steps, epochs, images)
    self._steps = self._steps or steps
    self._epochs = self._epochs or epochs

  @property
  def steps_per_epoch(self) -> int:
    """int, steps of an epoch."""
    if self._steps is None or self._epochs is None:
      raise errors.InputError(
          f"{type(self).__name__} needs `steps` and `epochs`: give them, or train by Supernet.fit, "
          "which knows them. Received: none"
      )
    return -(-self._steps // self._epochs)

  def _sample(self, step):
    """One arch, int32 [1, decisions]."""
    draws = []
    for place, own in enumerate(self.allowed):
      bits = hashing.uniform_uint32(self.seed, _IMPORTANCE, step, place)
      sums = ops.cumsum(ops.take(self.paths.distribution, self._names[place, list(own)]))
      bounds = ops.cast(sums[:-1] / sums[-1] * 2.0**30, "int32")  # As `hashing.thresholds` has it.
      draws.append(ops.take(np.array(own, np.int32), hashing.weighted(bits, bounds)))
    return ops.expand_dims(ops.stack(draws), 0)

  def observe(self, supernet: keras.Model, step: Any, paths: Any, gradients: list) -> None:
    """Updates the importance, and at the end of an epoch the distribution."""
    each = np.arange(self.paths.distribution.shape[0], dtype=np.int32)
    names = ops.take_along_axis(self._names, ops.expand_dims(paths[0], 1), axis=1)
    norms = 0.0
    for gradient, decisions, mask in zip(
        gradients, supernet.row_decisions(), supernet.on_path(paths)
    ):
      if decisions is None:
        continue
      rows, values = variable_rows_lib.select(gradient, mask)
      own = ops.convert_to_tensor(decisions, dtype="int32")
      own = ops.take(names[:, 0], own if rows is None else ops.take(own, rows))
      row_norms = ops.sqrt(ops.sum(ops.square(values), axis=[1, 2, 3, 4]))
      chosen = ops.cast(ops.equal(ops.expand_dims(own, 1), each), "float32")
      norms += ops.sum(chosen * ops.expand_dims(row_norms, 1), axis=0)
    counts = ops.sum(ops.cast(ops.equal(names, each), "float32"), axis=0)
    self.paths.see(norms, counts)
    self.paths.draw_by(*self.epoch_end(step))

  def epoch_end(self, step: Any) -> tuple[Any, Any]:
    """(tau, ends): tau of the next epoch, float32 scalar; whether this one ends with the step."""
    epoch, rest = (step + 1) // self.steps_per_epoch, (step + 1) % self.steps_per_epoch
    return ops.cast(epoch, "float32") / self._epochs, ops.equal(rest, 0)

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`; the state is among the weights."""
    return {**super().get_config(), "steps": self._steps, "epochs": self._epochs}
