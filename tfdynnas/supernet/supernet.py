"""The supernet: one network that holds every subnet of a space and runs the chosen one.

Source: Guo et al., single path one-shot neural architecture search, SPOS (ECCV 2020).
"""

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas.spaces import configs
from tfdynnas.supernet import cell_body
from tfdynnas.supernet import initial
from tfdynnas.supernet import layer_body
from tfdynnas.supernet import networks

BODIES = {spaces.CellSpace: cell_body.CellBody, spaces.LayerSpace: layer_body.LayerBody}


@keras.saving.register_keras_serializable("tfdynnas")
class Supernet(keras.Model):
  """Every subnet of a space, sharing weights; one compiled graph runs any of them.

  An ordinary Keras model: `compile` takes the `method` that says what a training step does
  (tfdynnas.training.SinglePath), `evaluate` and `predict` run the arch that `choose` set.

  What differs between kinds of spaces is its body: the weights and the way from images to
  features. A weight of it may hold a row for each of several choices.
  """

  def __init__(self, space, seed=0, **kwargs):
    """Makes the weights.

    Args:
      space: spaces.CellSpace or spaces.LayerSpace.
      seed: int >= 0, of the initial weights.
      **kwargs: name, dtype: as for any Keras model. With `mixed_bfloat16` the layers compute in
        bfloat16; weights, statistics, the classifier and all that is learnt stay float32.

    Raises:
      InputError: The space is of another kind.
    """
    super().__init__(**kwargs)
    if type(space) not in BODIES:
      raise errors.InputError(
          f"A supernet is of a space of cells or layers. Received: `{space.name}`"
      )
    self.space, self.seed = space, seed
    self.method = self.method_state = None
    self._body = BODIES[type(space)](space, self._add)
    shape = (self._body.channels, space.skeleton.classes)
    self._dense = self._add("dense_kernel", shape, shape[0])
    self._bias = self._add("dense_bias", shape[1:], shape[0])
    self.arch = self.add_weight(
        name="arch", shape=(len(space.decisions),), dtype="int32", trainable=False,
        initializer=lambda shape, dtype: ops.cast(space.largest(), dtype),
        aggregation="only_first_replica",
    )
    self.built = True

  def _add(self, name, shape, fan_in):
    """Adds a weight, its initial values drawn from the seed and its place in the list."""
    seed = int(np.random.SeedSequence([self.seed, len(self.weights)]).generate_state(1)[0] >> 1)
    # Not cast by Keras, which would copy a whole weight where a step reads a few rows of it.
    return self.add_weight(
        name=name, shape=shape, initializer=initial.uniform(fan_in, seed), autocast=False
    )

  def choose(self, arch):
    """Sets the arch that `call`, `evaluate` and `predict` run when none is given."""
    self.arch.assign(np.array(self.space.validate(arch), np.int32))

  def call(self, images, arch=None, training=None, reference=None):
    """Logits of one subnet.

    Args:
      images: float [batch, height, width, 3], normalised.
      arch: int32 [decisions], a tensor or a sequence; None stands for the one `choose` set.
      training: Ignored: normalisation is by batch statistics always.
      reference: int; take the statistics of the first `reference` images alone, so that the logits
        of the others do not depend on one another; None takes those of the whole batch.

    Returns:
      float32 [batch, classes].
    """
    arch = ops.cast(self.arch if arch is None else arch, "int32")
    features = self._body(ops.cast(images, self.compute_dtype), arch, reference)
    features = ops.mean(ops.cast(features, "float32"), axis=[1, 2])
    return ops.matmul(features, self._dense) + self._bias

  def on_path(self, arch):
    """Which trainable weights belong to the choices of an arch.

    Args:
      arch: int32 [decisions] or [paths, decisions]; of several paths the union counts.

    Returns:
      List of bool tensors, one per trainable weight: [] for a weight that every subnet has,
      [rows] for one with a row per choice. A chosen operation counts although no signal reaches it.
    """
    arch, masks = ops.reshape(ops.cast(arch, "int32"), [-1, len(self.space.decisions)]), {}
    for path, (decisions, choices) in self._body.owners.items():
      masks[path] = ops.any(ops.equal(ops.take(arch, decisions, axis=1), choices), axis=0)
    return [masks.get(v.path, ops.convert_to_tensor(True)) for v in self.trainable_variables]

  def row_decisions(self):
    """Which decision the rows of each trainable weight belong to.

    Returns:
      List per trainable weight: int array [rows] for one with a row per choice, None for a weight
      that every subnet has.
    """
    owners = self._body.owners
    return [owners.get(v.path, (None,))[0] for v in self.trainable_variables]

  def subnet(self, arch, statistics="batch", dropout=0.0):
    """The network of one arch as a plain Keras model with the inherited weights.

    Args:
      arch: Sequence of ints, one per decision.
      statistics: `batch`: logits as the supernet gives them. `running`: affine normalisation with
        running statistics, ready to be trained on its own.
      dropout: float in [0, 1), as for networks.plain_network.

    Returns:
      keras.Model, normalised images -> logits.
    """
    arch = self.space.validate(arch)
    model = networks.plain_network(self.space, arch, statistics, self.seed, dropout=dropout)
    for name, value in (*self._body.inherited(arch), ("dense", (self._dense, self._bias))):
      model.get_layer(name).set_weights([ops.convert_to_numpy(part) for part in value])
    return model

  def compile(self, optimizer="rmsprop", loss=None, method=None, **kwargs):
    """Prepares for training.

    Args:
      optimizer: As for any Keras model, as is `loss`.
      loss: On logits.
      method: What a training step does, for example training.SinglePath; needed by `fit`.
      **kwargs: As for any Keras model.

    Raises:
      InputError: The method cannot be run as they say.
    """
    if method is not None:
      method.check_compile({**kwargs, "optimizer": optimizer})
    super().compile(optimizer=optimizer, loss=loss, **kwargs)
    self.method = method
    self.method_state = getattr(method, "state", None)  # A layer here, so that it is saved.

  def train_step(self, *args):
    """One step of the method that `compile` was given."""
    if self.method is None:
      raise errors.InputError(
          "`fit` needs to know which paths to train: compile(..., "
          "method=training.SinglePath(...)). Received: method=None"
      )
    return self.method.train_step(self, *args)

  def get_config(self):
    """Config for `from_config`."""
    return {**super().get_config(), "space": configs.to_config(self.space), "seed": self.seed}

  @classmethod
  def from_config(cls, config):
    """Makes the supernet of a config."""
    return cls(**{**config, "space": configs.from_config(config["space"])})

  def get_compile_config(self):
    """Config of what `compile` was given."""
    config = super().get_compile_config()
    if config:
      config["method"] = keras.saving.serialize_keras_object(self.method)
    return config

  def compile_from_config(self, config):
    """Compiles as the config says, and builds the optimizer so that its state can be loaded."""
    self.compile(**keras.saving.deserialize_keras_object(config))
    if self.optimizer is not None:
      self.optimizer.build(self.trainable_variables)

