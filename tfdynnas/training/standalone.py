"""The found network on its own: affine normalisation with running statistics, its own recipe.

Source: the recipe of NAS-Bench-201's ground truth: SGD Nesterov 0.9, cosine, l2 5e-4. What
ImageNet recipes also have (smoothed labels, dropout, decay of kernels alone, the moving average of
the weights) is off by default.
"""

import keras
from keras import ops

from tfdynnas.optimizers import losses
from tfdynnas.optimizers import ms
from tfdynnas.supernet import networks
from tfdynnas.training import recipe


def network_to_train(config, space, arch, steps, supernet=None, counts=None):
  """The compiled network of one arch.

  Args:
    config: config.SubnetConfig.
    space: spaces.Space.
    arch: Sequence of ints, one per decision.
    steps: int >= 1, steps of the whole training.
    supernet: supernet.Supernet that gives the initial weights; None begins from scratch.
    counts: As for recipe.make_supernet.

  Returns:
    keras.Model, compiled.
  """
  dropout = config.subnet_dropout
  if supernet is None:
    model = networks.plain_network(space, arch, "running", config.subnet_seed, dropout=dropout)
  else:
    model = supernet.subnet(arch, "running", dropout)
  schedule = keras.optimizers.schedules.CosineDecay(config.subnet_learning_rate, steps)
  optimizer = Averaged(
      schedule, l2=config.subnet_l2, l2_on=config.subnet_l2_on, max_norm=None,
      use_ema=config.subnet_ema > 0, ema_momentum=config.subnet_ema or 0.99, groups=1,
  )
  weights = recipe.class_weights(config, counts)
  loss = losses.crossentropy(config.subnet_label_smoothing, weights)
  model.compile(optimizer, loss, metrics=["accuracy"])
  return model


def network_to_serve(space, arch, trained, averages=None):
  """The same network in Keras' own layers, without edges that change nothing.

  Args:
    space: spaces.Space.
    arch: Sequence of ints, one per decision.
    trained: keras.Model of layers of the same names, as of `network_to_train`, Supernet.subnet.
    averages: dict, path of a weight -> moving average to serve in its place, or None.

  Returns:
    keras.Model, the same logits.
  """
  model = networks.plain_network(space, arch, "keras", live_only=True)
  averages = averages or {}
  for layer in model.layers:
    if layer.weights:
      own = trained.get_layer(layer.name).weights
      layer.set_weights([ops.convert_to_numpy(averages.get(w.path, w)) for w in own])
  return model


@keras.saving.register_keras_serializable("tfdynnas")
class Averaged(ms.MS):
  """MS that keeps the moving average of the weights, if there is one, beside them.

  Keras replaces the weights by it whenever `fit` ends, even if the training is to be resumed.
  """

  def finalize_variable_values(self, var_list):
    """Leaves the weights as they are."""

  def averages(self, weights):
    """dict, path of a weight -> its moving average; empty if none is kept."""
    if not self.use_ema:
      return {}
    return {w.path: average for w, average in zip(weights, self._model_variables_moving_average)}
