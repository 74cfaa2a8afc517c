"""Trains small supernets on two logical devices, in two processes, or by hand as those should.

python -m tests.backend.mirrored_case devices|worker FOLDER CASE...: a case is how,method,space.
"""

import functools
import itertools
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.backend import current
from tfdynnas.training import loop

STEPS, BATCH = 4, 64


def make_space(space):
  if space == "layers":
    blocks = [spaces.Block("mb2", 2, 3), spaces.Block("mb1_5x5", 1, 5), spaces.Block("gone", 0)]
    return spaces.layer_space("layers", blocks, spaces.LayerSkeleton(
        (spaces.Stage(6, 2, 2), spaces.Stage(8, 2)), stem=4, stem_stride=1, first=4, last=16,
        image_size=8, classes=10,
    ))
  copies = 2 if space == "ten" else 1
  operations = [
      spaces.Operation(f"{o.name}_{i}", o.kind, o.window)
      for i in range(copies) for o in spaces.nasbench201().operations
  ]
  return spaces.cell_space("small", operations, nodes=3, skeleton=spaces.Skeleton(4, 1, 8))


def make(method, space):
  space = make_space(space)
  supernet = supernet_lib.Supernet(space, seed=1)
  path = methods.SinglePath(space, seed=3)
  if "fairnas" in method:
    loss_calr = optimizers.CaLR(1.0, STEPS, *space.bounds("complexity"))
    path = methods.FairNAS(space, seed=3, momentum_groups="split", loss_calr=loss_calr)
  schedule = keras.optimizers.schedules.CosineDecay(0.02, STEPS)
  if "calr" in method:
    schedule = optimizers.CaLR(0.02, STEPS, *space.bounds("complexity"))
  optimizer = optimizers.MS(
      schedule, groups=path.groups if "ms" in method else 1, max_norm=1.0,
      off_path="frozen" if "frozen" in method else "moved",
  )
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
  supernet.compile(optimizer, loss, method=path)
  optimizer.build(supernet.trainable_variables)
  return supernet, path, loss


def data():
  rng = np.random.default_rng(0)
  count = STEPS * BATCH
  return rng.normal(size=[count, 8, 8, 3]).astype("float32"), rng.integers(0, 10, count)


def mirrored(strategy, how, method, space):
  with strategy.scope():
    supernet, _, _ = make(method, space)
    dataset = tf.data.Dataset.from_tensor_slices(data()).batch(BATCH, drop_remainder=True)
    if how == "fit":
      return supernet, supernet.fit(dataset, epochs=1, verbose=0).history["loss"][0]
    loop.build(supernet, 10)
    batches, waited = current.timed(dataset)
    seen = keras.callbacks.History()
    current.runner(supernet, 1)(batches, 0, 1, STEPS, [seen])
  assert waited() > 0
  return supernet, seen.history["loss"][0]


def worker(strategy, how, method, space):
  del how
  with strategy.scope():
    supernet, _, _ = make(method, space)
    loop.build(supernet, 10)
    index, share = strategy.index, BATCH // strategy.count
    own = np.arange(STEPS * BATCH).reshape(STEPS, 2, share)[:, index].ravel()
    dataset = tf.data.Dataset.from_tensor_slices(tuple(part[own] for part in data())).batch(share)
    seen = keras.callbacks.History()
    current.runner(supernet, 1)(dataset, 0, 1, STEPS, [seen])
  return supernet, seen.history["loss"][0]


@functools.cache
def references(method, space):
  """Arrays of two trainings by hand; the weights of the second are moved by 1e-7 up or down."""
  supernet, path, loss = make(method, space)
  variables = [*supernet.variables, *supernet.optimizer.variables]
  start = [variable.numpy() for variable in variables]

  @tf.function
  def differentiate(batch, truth, arch, factor):
    with tf.GradientTape() as tape:
      value = loss(truth, supernet(batch, arch=arch))
      scaled = value * factor
    gradients = tape.gradient(scaled, supernet.trainable_variables)
    return value, [tf.convert_to_tensor(gradient) for gradient in gradients]

  found = []
  for nudge in (0.0, 1e-7):
    for variable, value in zip(variables, start):
      variable.assign(value)
    for weight in supernet.trainable_variables:
      weight.assign(weight + nudge * np.sign(np.random.default_rng(7).normal(size=weight.shape)))
    found.append(arrays(supernet, by_hand(supernet, path, differentiate)))
  return found


def by_hand(supernet, path, differentiate):
  """Trains: the gradients of a step are the mean of its halves, each normalised on its own."""
  images, labels = data()
  losses = []
  for step in range(STEPS):
    paths = path.sampler(step)
    path.tell(supernet.optimizer, paths, supernet.on_path)
    factors = path.weights(supernet.optimizer, paths, step) if len(paths) > 1 else np.ones(1, "f")
    sums = None
    for half, number in itertools.product(range(2), range(len(paths))):
      at = slice(step * BATCH + half * BATCH // 2, step * BATCH + (half + 1) * BATCH // 2)
      value, gradients = differentiate(images[at], labels[at], paths[number], factors[number])
      sums = gradients if sums is None else [a + b for a, b in zip(sums, gradients)]
      losses.append(float(value))
    supernet.optimizer.apply([g / 2 for g in sums], supernet.trainable_variables)
  return np.mean(losses)


def arrays(supernet, loss):
  """Weights, momentum and loss: dict."""
  found = {f"weight/{v.name}": v.numpy() for v in supernet.trainable_variables}
  found.update(
      (f"momentum/{place}", v.numpy()) for place, v in enumerate(supernet.optimizer.variables)
      if "momentum" in v.path
  )
  return {**found, "loss": np.float32(loss)}


def main(kind, folder, *cases):
  current.shorten_first_step()
  if kind == "devices":
    train, strategy = mirrored, current.make_strategy("mirrored", ["CPU:0", "CPU:1"])
  else:
    train, strategy = worker, current.make_workers([], 600)
  assert strategy.num_replicas_in_sync == 2
  with current.together(strategy):
    for case in cases:
      np.savez(pathlib.Path(folder) / case, **arrays(*train(strategy, *case.split(","))))


if __name__ == "__main__":
  main(*sys.argv[1:])
