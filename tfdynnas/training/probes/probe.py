"""Probes: how small and large subnets, and the subnets of one group, fare during a training.

They show the two problems that CaLR and MS solve: small subnets converge faster than large ones,
and the momentum of a step was gathered from other subnets. A probe changes no bit of the training:
it uses a copy of the weights, in a separate network.
"""

import functools
import itertools
import math

import keras
import numpy as np
from keras import ops

from tfdynnas.backend import current
from tfdynnas.optimizers import calr
from tfdynnas.optimizers import schedules
from tfdynnas.training.probes import cosines

CLASSES = 4  # Quarters of the space by complexity.
PER_GROUP = 3  # Archs of each momentum group whose gradients are compared.
_POOL = 2000  # Archs drawn to fill the classes and groups.
_MEANS = ("complexity", "accuracy", "loss", "learning_rate")


def sample(space, count, seed, allowed=None):
  """Archs of all complexity classes, as many of each as possible.

  The classes are the quarters by complexity of a uniform sample of the archs that are trained;
  archs of the same complexity are of the same class.

  Args:
    space: spaces.Space.
    count: int >= 1.
    seed: int >= 0.
    allowed: Sequence per decision of the choices that are trained; None: all.

  Returns:
    (archs, classes): list of different archs, at most `count`; list of ints in [0, CLASSES), the
    class of each, least complexity first.
  """
  pool = _pool(space, seed, allowed)
  costs = np.array([space.cost(arch, "complexity") for arch in pool])
  edges = np.quantile(costs, np.arange(1, CLASSES) / CLASSES, method="inverted_cdf")
  classes = np.searchsorted(edges, costs)
  queues = [[arch for arch, own in zip(pool, classes) if own == k] for k in range(CLASSES)]
  # In rounds: one arch of each class that has any left.
  rounds = sorted((place, k) for k, queue in enumerate(queues) for place in range(len(queue)))
  chosen = sorted((k, place) for place, k in rounds[:count])
  return [queues[k][place] for k, place in chosen], [k for k, _ in chosen]


def of_groups(space, method, seed):
  """PER_GROUP archs of each momentum group, fewer where a group has fewer.

  Args:
    space: spaces.Space.
    method: methods.SinglePath or another with `group` and `groups`.
    seed: int >= 0.

  Returns:
    (archs, groups): list of archs; list of ints, the group of each.
  """
  found = {group: [] for group in range(method.groups)}
  for arch in _pool(space, seed, method.allowed):
    group = int(ops.convert_to_numpy(method.group(ops.convert_to_tensor(arch, "int32"))))
    if len(found[group]) < PER_GROUP:
      found[group].append(arch)
    if all(len(archs) == PER_GROUP for archs in found.values()):
      break
  pairs = [(arch, group) for group, archs in found.items() for arch in archs]
  return [arch for arch, _ in pairs], [group for _, group in pairs]


def _pool(space, seed, allowed=None):
  """Different archs in random order, uniform over those that are allowed."""
  trained = space.restrict(allowed).allows
  rng = np.random.Generator(np.random.Philox(key=[seed, 2]))
  if space.size <= _POOL:
    return list(filter(trained, map(space.arch, rng.permutation(space.size))))
  drawn = filter(trained, (space.sample(rng) for _ in itertools.count()))
  return list(dict.fromkeys(itertools.islice(drawn, _POOL)))


def rates(model, step, complexities):
  """Learning rates of a step for subnets of given complexities.

  Args:
    model: supernet.Supernet, compiled with a method; it is not changed.
    step: int >= 0.
    complexities: float array [n].

  Returns:
    float array [n]; times the weight of the loss, where complexity gives it one.
  """
  _, schedule = schedules.seen_through(model.optimizer)
  weigh = model.method.loss_calr
  if isinstance(schedule, calr.CaLR):
    rate = schedule.rate(step, complexities)
  elif isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
    rate = schedule(step)
  else:
    rate = model.optimizer.learning_rate
  if weigh is not None:
    rate = rate * weigh.rate(step, complexities) / weigh.learning_rate
  return np.broadcast_to(ops.convert_to_numpy(rate), np.shape(complexities))


class Probe:
  """A probe of a model in training: (model, step) -> a JSON-able dict.

  It scores archs that the model's method trains, so one probe serves all parts of a few-shot run.

  Attributes:
    epochs: int, epochs between two probes; the end of the training always has one.
  """

  def __init__(self, epochs, network, score, images, labels, count, seed):
    """Makes the probe.

    Args:
      epochs: int >= 1, epochs between two probes.
      network: supernet.Supernet for the probe alone, of the space and size of the model's.
      score: Callable, arch -> {"accuracy", "loss"}, which runs `network`.
      images: float32 [batch, height, width, 3], normalised, for the gradients.
      labels: int32 [batch].
      count: int >= 1, archs to score.
      seed: int >= 0, of the archs.
    """
    self.epochs = epochs
    self._network, self._score, self._count, self._seed = network, score, count, seed
    self._batch = ops.convert_to_tensor(images), ops.convert_to_tensor(labels)
    self._gradient = current.compiled(
        functools.partial(current.path_gradient, network), network.trainable_variables
    )

  def __call__(self, model, step):
    """Probes a model.

    Args:
      model: supernet.Supernet, compiled with a method and with MS.
      step: int >= 1, steps trained so far.

    Returns:
      dict: `archs`, a dict for each with its index, class, complexity, accuracy, loss and the
      learning rate that it would have had at the last step; `classes`, the means of each class;
      `cosines` of gradients `within` a group and `across` groups; `momentum`, the cosines of
      gradients with the momentum of their `own` group, of `other` ones, and with the `mean` of all.
      None where a value is not a number.
    """
    for own, weight in zip(self._network.trainable_variables, model.trainable_variables):
      own.assign(ops.convert_to_numpy(weight))
    rows = self._scores(model, step)
    archs, groups = of_groups(model.space, model.method, self._seed)
    gradients = [self._gradient_of(arch) for arch in archs]
    slots = [ops.convert_to_numpy(slot) for slot in model.optimizer.slots]
    return _plain({
        "archs": rows, "classes": _class_means(rows),
        "cosines": cosines.of_pairs(gradients, groups),
        "momentum": cosines.with_momentum(gradients, groups, list(zip(*slots))),
    })

  def _scores(self, model, step):
    space = model.space
    archs, classes = sample(space, self._count, self._seed, model.method.allowed)
    costs = [space.cost(arch, "complexity") for arch in archs]
    rate = rates(model, step - 1, np.array(costs, np.float32))
    return [
        {"index": space.index(arch), "class": own, "complexity": cost, **self._score_of(arch),
         "learning_rate": float(own_rate)}
        for arch, own, cost, own_rate in zip(archs, classes, costs, rate)
    ]

  def _score_of(self, arch):
    current.beat()
    return self._score(arch)

  def _gradient_of(self, arch):
    current.beat()
    chosen = ops.convert_to_tensor(np.array(arch, np.int32))
    return [ops.convert_to_numpy(part) for part in self._gradient(*self._batch, chosen)]


def _class_means(rows):
  """Means over the archs of each class that has any, in the order of the classes."""
  members = {}
  for row in rows:
    members.setdefault(row["class"], []).append(row)
  return [
      {"class": own, "archs": len(members[own]),
       **{key: cosines.mean([row[key] for row in members[own]]) for key in _MEANS}}
      for own in sorted(members)
  ]


def _plain(value):
  """A copy with six digits of each float, and None for what is not finite."""
  if isinstance(value, dict):
    return {key: _plain(part) for key, part in value.items()}
  if isinstance(value, list):
    return [_plain(part) for part in value]
  if isinstance(value, float):
    return float(f"{value:.6g}") if math.isfinite(value) else None
  return value


def scalars(line):
  """Scalars of a probe for TensorBoard: dict, name -> float.

  Args:
    line: dict that a Probe gave.
  """
  found = {
      f"probe/{key}/class_{row['class'] + 1}": row[key]
      for row in line["classes"] for key in _MEANS[1:]
  }
  for part in ("cosines", "momentum"):
    found.update((f"probe/{part}/{name}", value) for name, value in line[part].items())
  return {name: value for name, value in found.items() if value is not None}
