"""MS, momentum separation: an SGD optimizer with one momentum buffer per group of subnets.

Source: "Subnet-Aware Dynamic Supernet Training" (CVPR 2025), momentum separation.
"""

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import rows as rows_lib
from tfdynnas.training import momentum as momentum_lib

OFF_PATH = ("moved", "frozen")
L2_ON = ("all", "kernels")


@keras.saving.register_keras_serializable("tfdynnas")
class MS(keras.optimizers.Optimizer):
  """SGD with PyTorch's momentum, coupled L2 and clipping, and a momentum buffer per group.

  Serves any Keras model. Before a step call `tell(group=...)` with the group whose buffer the step
  uses; without it every step uses group 0, and with `groups=1` this is plain SGD.

  Order of a step: gradients are summed over replicas, clipped by their global norm, L2 is added,
  then momentum, then the weights move.

  What happens to weights that the step's subnet does not contain is `off_path`: `moved`, as in the
  published runs (PyTorch 1.8: their zero gradient still decays them and moves them by momentum), or
  `frozen` (PyTorch 2: they and their momentum stay).
  """

  def __init__(
      self, learning_rate=0.025, momentum=0.9, nesterov=True, l2=5e-4, max_norm=5.0, groups=1,
      off_path="moved", l2_on="all", name="ms", **kwargs,
  ):
    """Makes the optimizer.

    Args:
      learning_rate: float, schedule or callable, as for any Keras optimizer.
      momentum: float in [0, 1).
      nesterov: bool.
      l2: float >= 0, added to the gradient as l2 * weight.
      max_norm: Greatest global norm of the gradient, > 0; None leaves it unclipped.
      groups: int >= 1, momentum buffers.
      off_path: `moved` or `frozen`.
      l2_on: `all` weights, as published, or `kernels`: not those of fewer than two dimensions.
      name: Name of the optimizer.
      **kwargs: As for any Keras optimizer.

    Raises:
      InputError: A number is out of range, or Keras' own clipping or weight decay is asked for.
    """
    own = {"weight_decay": "l2", "clipnorm": "max_norm", "global_clipnorm": "max_norm"}
    for key in [key for key in own if kwargs.get(key) is not None]:
      raise errors.InputError(f"Give `{own[key]}` in place of `{key}`. Received: {kwargs[key]}")
    _check(0 <= momentum < 1, "`momentum` must be in [0, 1)", momentum)
    _check(l2 >= 0, "`l2` must be >= 0", l2)
    _check(max_norm is None or max_norm > 0, "`max_norm` must be > 0 or None", max_norm)
    _check(groups >= 1 and groups == int(groups), "`groups` must be a whole number >= 1", groups)
    _check(off_path in OFF_PATH, f"`off_path` must be one of {OFF_PATH}", repr(off_path))
    _check(l2_on in L2_ON, f"`l2_on` must be one of {L2_ON}", repr(l2_on))
    super().__init__(learning_rate=learning_rate, name=name, **kwargs)
    self.l2_on = l2_on
    self.momentum, self.nesterov, self.l2 = momentum, nesterov, l2
    self.max_norm, self.groups, self.off_path = max_norm, int(groups), off_path
    self._told = None

  def build(self, variables):
    """Makes the momentum buffers, [groups, *shape] for each weight, zeros."""
    if self.built:
      return
    super().build(variables)
    self.slots = [
        self.add_variable((self.groups, *v.shape), dtype=v.dtype, name=f"{v.name}_momentum")
        for v in variables
    ]
    # First axis of each weight, a bool each: a weight may hold rows of several choices.
    self._parts = np.cumsum([0] + [v.shape[0] if len(v.shape) else 1 for v in variables])
    self._told = _Told(int(self._parts[-1]) if self.off_path == "frozen" else 0)

  def tell(self, group=0, on_path=None):
    """Says what the next step is about.

    Args:
      group: int or int32 scalar in [0, groups): whose momentum the step reads and writes.
      on_path: With `frozen`: one bool array per weight, [] or [first axis]; None stands for all.

    Raises:
      InputError: The optimizer has not been built.
    """
    if self._told is None:
      raise errors.InputError("Call `build(variables)` before `tell`. Received: not built")
    self._told.group.assign(ops.cast(group, "int32"))
    if self.off_path == "frozen":
      self._told.on_path.assign(self._flat_mask(on_path))

  def _flat_mask(self, on_path):
    sizes = np.diff(self._parts)
    if on_path is None:
      return ops.ones([int(self._parts[-1])], "bool")
    if len(on_path) != len(sizes):
      raise errors.InputError(
          f"`on_path` must have one entry per weight. Received: {len(on_path)} for {len(sizes)}"
      )
    return ops.concatenate(
        [ops.broadcast_to(ops.cast(m, "bool"), (int(n),)) for m, n in zip(on_path, sizes)]
    )

  def update_step(self, gradient, variable, learning_rate):
    """Updates one weight, or the rows of it that a `frozen` step moves, with its gradient."""
    place = self._get_variable_index(variable)
    slot = self.slots[place]
    group = ops.reshape(ops.convert_to_tensor(self._told.group), [1, 1])
    rows, gradient = gradient if isinstance(gradient, tuple) else (None, gradient)
    rate = ops.cast(learning_rate, gradient.dtype)
    decays = self.l2_on == "all" or len(variable.shape) > 1
    settings = self.momentum, self.l2 if decays else 0.0, self.nesterov
    if rows is None:
      weight, buffer = ops.convert_to_tensor(variable), rows_lib.read(slot, group)[0]
      new, moved = momentum_lib.update(weight, buffer, gradient, rate, *settings)
      if self.off_path == "frozen":
        rank = len(weight.shape)
        mask = ops.reshape(self._mask(place), [-1] * min(rank, 1) + [1] * (rank - 1))
        new, moved = ops.where(mask, new, weight), ops.where(mask, moved, buffer)
      self.assign(variable, new)
      rows_lib.write(slot, group, ops.expand_dims(moved, 0))
      return
    own = ops.expand_dims(rows, 1)
    index = ops.concatenate([ops.broadcast_to(group, ops.shape(own)), own], axis=1)
    weight, buffer = rows_lib.read(variable, own), rows_lib.read(slot, index)
    new, moved = momentum_lib.update(weight, buffer, gradient, rate, *settings)
    rows_lib.write(variable, own, new)
    rows_lib.write(slot, index, moved)

  def _mask(self, place):
    """bool [first axis]: which parts of a weight the step moves."""
    start, stop = int(self._parts[place]), int(self._parts[place + 1])
    return ops.convert_to_tensor(self._told.on_path)[start:stop]

  def _backend_update_step(self, grads, trainable_variables, learning_rate):
    """Clips where gradients are already summed; TensorFlow sums them inside, see below."""
    if not hasattr(super(), "_all_reduce_sum_gradients"):
      grads = self._scaled(grads, trainable_variables)
    super()._backend_update_step(grads, trainable_variables, learning_rate)

  def _all_reduce_sum_gradients(self, grads_and_vars):
    """TensorFlow: sums over the replicas, then clips what was summed."""
    reduced = super()._all_reduce_sum_gradients(grads_and_vars)
    variables = [v for _, v in reduced]
    return list(zip(self._scaled([g for g, _ in reduced], variables), variables))

  def _scaled(self, gradients, variables):
    """Clips; with `frozen` a gradient becomes (rows, values) of what moves, else it is dense."""
    parts = [(None, g) if g is None else self._part(g, v) for g, v in zip(gradients, variables)]
    if self.max_norm is not None:
      factor = momentum_lib.clip_factor([g for _, g in parts if g is not None], self.max_norm)
      parts = [(rows, g if g is None else g * ops.cast(factor, g.dtype)) for rows, g in parts]
    return [g if rows is None else (rows, g) for rows, g in parts]

  def _part(self, gradient, variable):
    """(rows, values) of the gradient of one weight; rows None stands for all of them."""
    if self.off_path == "moved":
      return None, ops.convert_to_tensor(gradient)
    mask = self._mask(self._get_variable_index(variable))
    if not len(variable.shape):  # Not as a bool: TensorShape([]) is True.
      return None, ops.where(mask[0], gradient, 0.0)
    return rows_lib.select(gradient, mask)

  def get_config(self):
    """Config for `from_config`."""
    config = super().get_config()
    for key in ("weight_decay", "clipnorm", "global_clipnorm"):
      config.pop(key, None)
    own = ("momentum", "nesterov", "l2", "max_norm", "groups", "off_path", "l2_on")
    return {**config, **{key: getattr(self, key) for key in own}}


class _Told:
  """What the last `tell` said; not among the optimizer's variables, so in no checkpoint."""

  def __init__(self, rows):
    kwargs = {"trainable": False, "aggregation": "only_first_replica"}
    self.group = keras.Variable(0, dtype="int32", name="group", **kwargs)
    if rows:
      self.on_path = keras.Variable(np.ones([rows], bool), dtype="bool", name="on_path", **kwargs)


def _check(good, rule, value):
  if not good:
    raise errors.InputError(f"{rule}. Received: {value}")
