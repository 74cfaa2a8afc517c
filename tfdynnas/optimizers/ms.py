"""MS, momentum separation: an SGD optimizer with one momentum buffer per group of subnets.

Source: "Subnet-Aware Dynamic Supernet Training" (CVPR 2025), momentum separation.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas.backend import current
from tfdynnas.backend import variable_rows as variable_rows_lib
from tfdynnas.optimizers import calr
from tfdynnas.optimizers import current_subnet
from tfdynnas.optimizers import schedules
from tfdynnas.optimizers import sgd as sgd_lib

OFF_PATH = ("moved", "frozen")
L2_ON = ("all", "kernels")


@keras.saving.register_keras_serializable("tfdynnas")
class MS(keras.optimizers.Optimizer):
  """SGD with PyTorch's momentum, coupled L2 and clipping, and a momentum buffer per group.

  Works with any Keras model. Before a step call `tell(group=...)` with the group whose buffer the
  step uses; without it every step uses group 0, and with `groups=1` this is plain SGD. In
  `Supernet.compile(..., method=...)` the method binds the number of groups and calls `tell`.

  Order of a step: gradients are summed over replicas, clipped by their global norm, L2 is added,
  then momentum, then the weights move.

  `off_path` is what happens to weights outside of the step's subnet: `moved`, as in the published
  runs (PyTorch 1.8: their zero gradient still decays them and moves them by momentum), or `frozen`
  (PyTorch 2: they and their momentum stay).

  Example:
    model = keras.Sequential([keras.Input([4]), keras.layers.Dense(2)])
    optimizer = nas.MS(nas.CaLR(0.1, steps=60, c_min=1e3, c_max=4e3), groups=4)
    optimizer.build(model.trainable_variables)
    optimizer.tell(group=2)  # Before the step of a subnet of the third group.
  """

  groups: Any  # None until it is given or bound.

  def __init__(
      self, learning_rate: Any = 0.025, momentum: float = 0.9, nesterov: bool = True,
      l2: float = 5e-4, max_norm: float | None = 5.0, groups: int | None = None,
      off_path: str = "moved", l2_on: str = "all", name: str | None = None, **kwargs,
  ):
    """Makes the optimizer.

    Args:
      learning_rate: float, schedule or callable, as for any Keras optimizer.
      momentum: float in [0, 1).
      nesterov: bool.
      l2: float >= 0, added to the gradient as l2 * weight.
      max_norm: Greatest global norm of the gradient, > 0; None leaves it unclipped.
      groups: int >= 1, momentum buffers; None: bound by `Supernet.compile`.
      off_path: `moved` or `frozen`.
      l2_on: `all` weights, as published, or `kernels`: those of two or more dimensions.
      name: Name of the optimizer; None makes a unique one.
      **kwargs: As for any Keras optimizer.

    Raises:
      InputError: A number is out of range, or Keras' own clipping or weight decay is asked for.
    """
    own = {"weight_decay": "l2", "clipnorm": "max_norm", "global_clipnorm": "max_norm"}
    for key in [key for key in own if kwargs.get(key) is not None]:
      raise errors.InputError(f"Give `{own[key]}` in place of `{key}`. Received: {kwargs[key]}")
    number = errors.check_number
    number(momentum, lambda value: 0 <= value < 1, "`momentum` must be a number in [0, 1)")
    number(l2, lambda value: value >= 0, "`l2` must be a number >= 0")
    if max_norm is not None:
      number(max_norm, lambda value: value > 0, "`max_norm` must be a number > 0 or None")
    _check_groups(groups)
    for key, value, known in (("off_path", off_path, OFF_PATH), ("l2_on", l2_on, L2_ON)):
      if value not in known:
        raise errors.InputError(f"`{key}` must be one of {known}. Received: {value!r}")
    super().__init__(learning_rate=learning_rate, name=name, **kwargs)
    self.momentum, self.nesterov, self.l2 = momentum, nesterov, l2
    self.max_norm, self.off_path, self.l2_on = max_norm, off_path, l2_on
    self.groups, self._groups_given = groups and int(groups), groups is not None
    self._group, self._on_path, self._by_rows = None, None, False

  def bind(self, groups: int) -> None:
    """Sets the number of groups, unless it was given or the buffers have been made.

    From then on a `frozen` step reads and writes only the rows that it moves: supernets need that
    for speed, and XLA cannot compile it.

    Args:
      groups: int >= 1.

    Raises:
      InputError: It is out of range.
    """
    _check_groups(groups)
    self._by_rows = True
    if not self._groups_given and not self.built:
      self.groups = groups

  def build(self, variables: Sequence[keras.Variable]) -> None:
    """Makes the momentum buffers, [groups, *shape] for each weight, zeros."""
    if self.built:
      return
    if self.groups is None:
      raise errors.InputError(
          "MS needs `groups`, the number of its momentum buffers: give it, 1 for plain SGD, or "
          "train by Supernet.compile(..., method=...), which knows it. Received: none"
      )
    super().build(variables)
    self.slots = [
        None if getattr(v, "overwrite_with_gradient", False) else self._slot(v) for v in variables
    ]
    # A bool for each index of a weight's first axis, which may hold several choices.
    self._parts = np.cumsum([0] + [v.shape[0] if len(v.shape) else 1 for v in variables])
    first = {"aggregation": "only_first_replica"}
    self._group = self.add_variable((), dtype="int32", name="group", **first)
    if self.off_path == "frozen":
      self._on_path = self.add_variable(
          (int(self._parts[-1]),), "ones", dtype="bool", name="on_path", **first
      )

  def _slot(self, variable):
    name = variable.name.replace("/", "_").replace(":", "_")  # TensorFlow's own have such.
    shape = (self.groups, *variable.shape)
    return self.add_variable(shape, dtype=variable.dtype, name=f"{name}_momentum")

  @property
  def told(self) -> list[keras.Variable]:
    """List of the variables that `tell` sets: this optimizer's, then its CaLR's; [] until built."""
    own = [v for v in (self._group, self._on_path) if v is not None]
    _, schedule = schedules.seen_through(self)
    return [*own, schedule.complexity] if own and isinstance(schedule, calr.CaLR) else own

  @property
  def variables(self) -> list[keras.Variable]:
    """All state of a step; it ends with what `tell` sets, so that every trainer carries that."""
    kept = [v for v in super().variables if v is not self._group and v is not self._on_path]
    return kept + self.told

  def set_weights(self, weights: Sequence[np.ndarray]) -> None:
    """Sets `variables`; a list without what `tell` sets leaves that as it is.

    Raises:
      InputError: It does not fit this optimizer and its weights; nothing is set then.
    """
    weights = list(weights)
    variables = self.variables
    kept = len(variables) - len(self.told)
    variables = variables[:kept] if len(weights) == kept else variables
    shapes = ([tuple(value.shape) for value in some] for some in (weights, variables))
    difference = _difference(*shapes)
    if difference:
      raise errors.InputError(
          "The state of an optimizer must go to one with as many groups, built for the same "
          f"weights. Received: {difference}{'' if self.built else ', which is not built'}"
      )
    for variable, value in zip(variables, weights):
      variable.assign(value)

  def load_own_variables(self, store: Any) -> None:
    """Restores the saved state, as `set_weights` does."""
    self.set_weights([store[str(place)] for place in range(len(store.keys()))])

  def __reduce__(self):
    """Copies and pickles an optimizer that is not built; the state of a built one needs its model.

    Raises:
      InputError: It is built.
    """
    if self.built:
      raise errors.InputError(
          "A built optimizer is copied with its model, or by `from_config`, `build` and "
          "`set_weights`. Received: one to copy alone"
      )
    return super().__reduce__()

  def tell(self, group: Any = 0, on_path: Sequence[Any] | None = None) -> None:
    """Sets the group and the path of the next step.

    Args:
      group: int or int32 scalar in [0, groups), the group whose momentum the step reads and writes.
        If a compiled step computes it, one out of range makes the weights NaN or the step fail.
      on_path: One bool array per weight, [] or [first axis], for `frozen`; None stands for all.

    Raises:
      InputError: The optimizer has not been built, or an argument is not as above.
    """
    if self._group is None:
      raise errors.InputError("Call `build(variables)` before `tell`. Received: not built")
    current_subnet.check("group", group, 0, self.groups - 1, whole=True)
    current_subnet.assign(self._group, ops.cast(group, "int32"))
    if self.off_path == "frozen":
      current_subnet.assign(self._on_path, self._flat_mask(on_path))

  def _flat_mask(self, on_path):
    sizes = np.diff(self._parts)
    if on_path is None:
      return ops.ones([int(self._parts[-1])], "bool")
    shapes = [tuple(m.shape if hasattr(m, "shape") else np.shape(m)) for m in on_path]
    good = [shape in ((), (n,)) for shape, n in zip(shapes, sizes)]
    if len(on_path) != len(sizes) or not all(good):
      raise errors.InputError(
          "`on_path` must have one entry per weight, [] or of its first axis. Received: shapes "
          f"{shapes} for weights of {sizes.tolist()}"
      )
    return ops.concatenate(
        [ops.broadcast_to(ops.cast(m, "bool"), (int(n),)) for m, n in zip(on_path, sizes)]
    )

  def exclude_from_weight_decay(
      self, var_list: Sequence[keras.Variable] | None = None,
      var_names: Sequence[str] | None = None,
  ) -> None:
    """Excludes weights from `l2`; as with any optimizer, not part of the config.

    Args:
      var_list: List of weights.
      var_names: List of regular expressions, found in the names of weights.

    Raises:
      InputError: The optimizer has been built.
    """
    if self.built:
      raise errors.InputError(
          "`exclude_from_weight_decay` must be called before `build`. Received: after it"
      )
    super().exclude_from_weight_decay(var_list, var_names)

  def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
    """Updates one weight, or the rows of it that a `frozen` step moves, with its gradient."""
    place = self._get_variable_index(variable)
    slot = self.slots[place]
    group = ops.reshape(ops.convert_to_tensor(self._group), [1, 1])
    rows, gradient = gradient if isinstance(gradient, tuple) else (None, gradient)
    gradient = ops.cast(gradient, variable.dtype)
    rate = ops.cast(learning_rate, gradient.dtype)
    decays = self.l2_on == "all" or len(variable.shape) > 1
    l2 = self.l2 if decays and self._use_weight_decay(variable) else 0.0
    settings = self.momentum, l2, self.nesterov
    if rows is None:
      weight, buffer = ops.convert_to_tensor(variable), variable_rows_lib.read(slot, group)[0]
      new, moved = sgd_lib.update(weight, buffer, gradient, rate, *settings)
      if self.off_path == "frozen":
        rank = len(weight.shape)
        mask = ops.reshape(self._mask(place), [-1] * min(rank, 1) + [1] * (rank - 1))
        new, moved = ops.where(mask, new, weight), ops.where(mask, moved, buffer)
      self.assign(variable, new)
      variable_rows_lib.write(slot, group, ops.expand_dims(moved, 0))
      return
    own = ops.expand_dims(rows, 1)
    index = ops.concatenate([ops.broadcast_to(group, ops.shape(own)), own], axis=1)
    weight, buffer = variable_rows_lib.read(variable, own), variable_rows_lib.read(slot, index)
    new, moved = sgd_lib.update(weight, buffer, gradient, rate, *settings)
    variable_rows_lib.write(variable, own, new)
    variable_rows_lib.write(slot, index, moved)

  def _filter_empty_gradients(self, grads, trainable_variables):
    """Leaves out weights without gradient; those that a step on PyTorch did not use have zeros."""
    grads = current.filled(grads, trainable_variables)
    return super()._filter_empty_gradients(grads, trainable_variables)

  def _mask(self, place):
    """bool [first axis], which rows of a weight the step moves."""
    start, stop = int(self._parts[place]), int(self._parts[place + 1])
    return ops.convert_to_tensor(self._on_path)[start:stop]

  def _backend_update_step(self, grads, trainable_variables, learning_rate):
    """Clips gradients that are already summed; TensorFlow sums them later, in the method below."""
    if not hasattr(super(), "_all_reduce_sum_gradients"):
      grads = self._scaled(grads, trainable_variables)
    # A computed group cannot be refused; without NaN JAX would read the nearest and drop the write.
    group = ops.convert_to_tensor(self._group)
    inside = ops.equal(ops.clip(group, 0, self.groups - 1), group)
    rate = ops.where(inside, ops.convert_to_tensor(learning_rate), float("nan"))
    super()._backend_update_step(grads, trainable_variables, rate)

  def _all_reduce_sum_gradients(self, grads_and_vars):
    """TensorFlow: sums over the replicas, then clips the sums."""
    # TensorFlow keeps the graph of each step in which it reduces, for as long as the process lives.
    several = current.replicas() > 1
    reduced = super()._all_reduce_sum_gradients(grads_and_vars) if several else grads_and_vars
    variables = [v for _, v in reduced]
    return list(zip(self._scaled([g for g, _ in reduced], variables), variables))

  def _scaled(self, gradients, variables):
    """Clips; with `frozen` a gradient becomes (rows, values) of the rows that move, else dense."""
    parts = [(None, g) if g is None else self._part(g, v) for g, v in zip(gradients, variables)]
    if self.max_norm is not None:
      factor = sgd_lib.clip_factor([g for _, g in parts if g is not None], self.max_norm)
      parts = [(rows, g if g is None else g * ops.cast(factor, g.dtype)) for rows, g in parts]
    return [g if rows is None else (rows, g) for rows, g in parts]

  def _part(self, gradient, variable):
    """(rows, values) of the gradient of one weight; rows None stands for all of them."""
    if self.off_path == "moved":
      return None, ops.convert_to_tensor(gradient, sparse=False)
    mask = self._mask(self._get_variable_index(variable))
    if not len(variable.shape):  # Not as a bool: TensorShape([]) is True.
      return None, ops.where(mask[0], gradient, 0.0)
    choose = variable_rows_lib.select if self._by_rows else variable_rows_lib.masked
    return choose(gradient, mask)

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`."""
    config = super().get_config()
    for key in ("weight_decay", "clipnorm", "global_clipnorm"):
      config.pop(key, None)
    own = ("momentum", "nesterov", "l2", "max_norm", "groups", "off_path", "l2_on")
    return {**config, **{key: getattr(self, key) for key in own}}


def _check_groups(groups):
  if groups is not None:
    errors.check_number(groups, lambda value: value >= 1 and value == int(value),
                        "`groups` must be a whole number >= 1")


def _difference(there, here):
  """First difference between two lists of shapes, as text; None if there is none."""
  if len(there) != len(here):
    return f"{len(there)} variables in place of {len(here)}"
  places = [place for place, pair in enumerate(zip(there, here)) if pair[0] != pair[1]]
  return f"{there[places[0]]} in place of {here[places[0]]}" if places else None
