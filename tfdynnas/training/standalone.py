"""The found network on its own: affine normalisation with running statistics, its own recipe.

Source: the recipe of NAS-Bench-201's ground truth: SGD Nesterov 0.9, cosine, l2 5e-4.
"""

import keras

from tfdynnas.supernet import network
from tfdynnas.training import ms


def network_to_train(space, arch, steps, learning_rate, l2, seed=0, supernet=None):
  """The compiled network of one arch.

  Args:
    space: spaces.CellSpace.
    arch: Sequence of ints, one per decision.
    steps: int >= 1, steps of the whole training.
    learning_rate: float > 0, at the first step; a cosine takes it to 0.
    l2: float >= 0, weight decay coupled to the gradient.
    seed: int >= 0, of the initial weights.
    supernet: supernet.Supernet whose weights to begin with; None begins from scratch.

  Returns:
    keras.Model, compiled.
  """
  if supernet is None:
    model = network.cell_network(space, arch, "running", seed)
  else:
    model = supernet.subnet(arch, "running")
  schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, name="loss")
  model.compile(ms.MS(schedule, l2=l2, max_norm=None), loss, metrics=["accuracy"])
  return model


def network_to_serve(space, arch, trained):
  """The same network in layers that any Keras has, without edges that change nothing.

  Args:
    space: spaces.CellSpace.
    arch: Sequence of ints, one per decision.
    trained: keras.Model as `network_to_train` made it.

  Returns:
    keras.Model, the same logits.
  """
  model = network.cell_network(space, arch, "keras", live_only=True)
  for layer in model.layers:
    if layer.weights:
      layer.set_weights(trained.get_layer(layer.name).get_weights())
  return model
