"""A supernet and a model of another kind trained by `fit` on the back end in use, for torch_test.

python torch_case.py FILE: the same weights to begin with on any back end; logits, and the weights
and buffers after a few steps, go to an .npz file.
"""

import sys

import keras
import numpy as np
from keras import ops

from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib

SPACE = spaces.cell_space(
    "three", spaces.nasbench201().operations, nodes=3, skeleton=spaces.Skeleton(4, 1, 8)
)
STEPS, BATCH = 3, 16
METHODS = {
    "spos": (methods.SinglePath, "frozen"), "moved": (methods.SinglePath, "moved"),
    "fairnas": (methods.FairNAS, "moved"), "sandwich": (methods.Sandwich, "frozen"),
}


def arrays(variables):
  return [ops.convert_to_numpy(variable) for variable in variables]


def drawn(weights):
  """Sets weights to what does not depend on the back end."""
  rng = np.random.default_rng(0)
  for weight in weights:
    weight.assign(rng.uniform(-0.3, 0.3, weight.shape).astype(np.float32))


def trained(name):
  """Logits of an arch before training; weights and buffers after it; the losses."""
  make, off_path = METHODS[name]
  method, rng = make(SPACE, seed=1), np.random.default_rng(2)
  schedule = optimizers.CaLR(0.05, 10, *SPACE.bounds("complexity"), paths=len(method.sampler(0)))
  supernet = supernet_lib.Supernet(SPACE)
  drawn(supernet.trainable_variables)
  images = rng.normal(size=[STEPS * BATCH, 8, 8, 3]).astype(np.float32)
  labels = rng.integers(0, 10, STEPS * BATCH).astype(np.int32)
  logits = [ops.convert_to_numpy(supernet(images, arch=arch)) for arch in ((3, 2, 4), (1, 3, 0))]
  optimizer = optimizers.MS(schedule, groups=method.groups, off_path=off_path)
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
  supernet.compile(optimizer, loss, metrics=["accuracy"], method=method)
  told = supernet.fit(images, labels, batch_size=BATCH, shuffle=False, verbose=0).history
  state = [*arrays(supernet.trainable_variables), *arrays(optimizer.slots)]
  return [*logits, *state, np.array([told["loss"][0], told["accuracy"][0]])]


class EitherLayer(keras.Model):
  """One of two layers, by a switch: a step gives the other no gradient."""

  def __init__(self):
    super().__init__()
    self.layers_of = [keras.layers.Dense(3), keras.layers.Dense(3)]
    self.last = keras.layers.Dense(1)
    self.chosen = self.add_weight(name="chosen", shape=(), dtype="int32", trainable=False)

  def build(self, shape):
    for layer in self.layers_of:
      layer.build(shape)
    self.last.build((None, 3))

  def call(self, inputs):
    return self.last(ops.switch(self.chosen, self.layers_of, inputs))


class Tell(keras.callbacks.Callback):
  """Chooses the layers in turn."""

  def on_train_batch_begin(self, batch, logs=None):
    layer = batch % 2
    self.model.chosen.assign(layer)
    optimizer = self.model.optimizer
    optimizer.tell(layer, [np.array(place // 2 in (layer, 2)) for place in range(6)])
    optimizer._learning_rate.tell(10.0 * (1 + layer))


def either(off_path):
  """Weights and buffers of such a model after five steps."""
  model, rng = EitherLayer(), np.random.default_rng(3)
  model.build((None, 4))
  drawn(model.trainable_variables)
  optimizer = optimizers.MS(optimizers.CaLR(0.1, 8, 10, 20), groups=2, off_path=off_path)
  model.compile(optimizer, "mse")
  optimizer.build(model.trainable_variables)
  data = (rng.normal(size=[40, size]).astype(np.float32) for size in (4, 1))
  model.fit(*data, batch_size=8, shuffle=False, verbose=0, callbacks=[Tell()])
  return [*arrays(model.trainable_variables), *arrays(optimizer.slots)]


def run(path):
  """Everything."""
  found = {name: trained(name) for name in METHODS}
  found.update({f"either_{off_path}": either(off_path) for off_path in ("moved", "frozen")})
  np.savez(path, **{
      f"{name}/{place}": value for name, own in found.items() for place, value in enumerate(own)
  })


if __name__ == "__main__":
  run(sys.argv[1])
