"""From a compiled supernet to the settings that make it: the inverse of `recipe`.

`differences` finds what settings cannot say, by comparison with the supernet made from them.
"""

import keras
import numpy as np

from tfdynnas import errors
from tfdynnas import registry
from tfdynnas.optimizers import calr
from tfdynnas.optimizers import losses
from tfdynnas.optimizers import ms
from tfdynnas.optimizers import schedules
from tfdynnas.sampling import by_budget
from tfdynnas.sampling import uniform

_NAMES = {"name", "module", "registered_name"}


def of(supernet):
  """Settings of a supernet's recipe, without those of images and epochs.

  Args:
    supernet: supernet.Supernet, compiled with a method.

  Returns:
    dict, fields of config.SupernetConfig.

  Raises:
    InputError: No recipe makes such an optimizer, schedule or method.
  """
  _refuse_foreign("optimizer", supernet.optimizer, (ms.MS,))
  _refuse_foreign("method", supernet.method, _methods())
  return {
      "seed": supernet.seed, "precision": supernet.dtype_policy.name, "sharing": supernet.sharing,
      "branch_scale": supernet.branch_scale,
      **_of_optimizer(supernet.optimizer, supernet.method), **_of_method(supernet.method),
      **_of_loss(supernet.loss),
  }


def differences(supernet, made):
  """Differences between two compiled supernets that matter to a run.

  Args:
    supernet: supernet.Supernet, built and compiled.
    made: supernet.Supernet made from its settings, built and compiled.

  Returns:
    (of the first, of the second): dicts, name -> value; both empty if there are none.
  """
  one, other = _flat(_described(supernet)), _flat(_described(made))
  names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
  return {name: one.get(name) for name in names}, {name: other.get(name) for name in names}


def _methods():
  """dict, class of a method -> the setting that names it."""
  named = {"method": registry.METHODS, "sampler": registry.LEARNING_SAMPLERS}
  return {registry.at(place): {setting: name} for setting, places in named.items()
          for name, place in places.items()}


def _described(supernet):
  """Configs of model, optimizer, loss and method; metrics change nothing."""
  compiled = supernet.get_compile_config()
  left_out = ("metrics", "weighted_metrics")
  return {**supernet.get_config(), **{k: v for k, v in compiled.items() if k not in left_out}}


def _flat(value, name=""):
  """Flattens nested dicts, without the names that Keras makes up."""
  if not isinstance(value, dict):
    return {name: value}
  flat = {}
  for key, part in value.items():
    if key not in _NAMES:
      flat.update(_flat(part, f"{name}.{key}".removeprefix(".")))
  return flat


def _refuse_foreign(name, value, kinds):
  if type(value) not in kinds:
    known = ", ".join(kind.__name__ for kind in kinds)
    raise errors.InputError(
        f"`run_dir` records `{name}` if it is {known}. Received: {type(value).__name__}"
    )


def _of_optimizer(optimizer, method):
  _, schedule = schedules.seen_through(optimizer)
  on_loss = method.loss_calr is not None
  rate = method.loss_calr if on_loss else schedule
  return {
      **(_of_schedule(rate) if rate is not None else _of_rate(optimizer)),
      "calr_on": "loss" if on_loss else "lr", "momentum": optimizer.momentum, "l2": optimizer.l2,
      "max_norm": optimizer.max_norm or 0.0, "off_path": optimizer.off_path,
  }


def _of_rate(optimizer):
  """Settings of a constant rate: the shortest decimal with the float32 of Keras' variable."""
  rate = np.float32(keras.ops.convert_to_numpy(optimizer.learning_rate))
  return {"schedule": "constant", "learning_rate": float(str(rate))}


def _of_schedule(schedule):
  kinds = keras.optimizers.schedules
  _refuse_foreign("learning_rate", schedule, (calr.CaLR, kinds.CosineDecay, kinds.PolynomialDecay))
  if isinstance(schedule, calr.CaLR):
    first, most = schedule.learning_rate, schedule.gamma_max
    if most < 1:
      return {"schedule": "reversed", "learning_rate": first, "gamma_max": 1 / most}
    return {"schedule": "calr", "learning_rate": first, "gamma_max": most}
  first = schedule.initial_learning_rate
  if isinstance(schedule, kinds.CosineDecay):
    return {"schedule": "cosine", "learning_rate": first}
  return {"schedule": "polynomial", "learning_rate": first, "gamma": schedule.power}


def _of_method(method):
  drawn = uniform.split_decision(
      uniform.splittable(method.space, method.allowed), method.seed)
  own = {"split_decision": -1 if drawn == method.split_decision else method.split_decision,
         "momentum_groups": method.momentum_groups, **_methods()[type(method)]}
  known = method.get_config()
  own.update((name, known[name]) for name in ("sampler", "random_paths") if name in known)
  return {**own, **_of_budget(method)} if isinstance(own.get("sampler"), dict) else own


def _of_budget(method):
  """Settings of a sampler that was given as an object."""
  sampler = method.sampler
  _refuse_foreign("sampler", sampler, (by_budget.Budget,))
  ranges = ",".join("-".join(map(_decimal, ends)) for ends in sampler.ranges)
  kinds = [kind for kind, cost in method.space.costs.items() if cost.table == sampler.rows]
  return {"sampler": "budget", "budget": f"{kinds[0] if kinds else 'complexity'}:{ranges}"}


def _decimal(number):
  """The text of a number, whole if it is."""
  return str(int(number)) if number == int(number) else str(number)


def _of_loss(loss):
  kinds = losses.SmoothedCrossentropy, losses.WeightedCrossentropy
  smoothing = loss.smoothing if isinstance(loss, kinds) else 0.0
  weights = "balanced" if isinstance(loss, losses.WeightedCrossentropy) else "none"
  return {"label_smoothing": smoothing, "class_weights": weights}
