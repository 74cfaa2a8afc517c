"""The supernet: one network that holds every subnet of a space and runs the chosen one.

Source: Guo et al., single path one-shot neural architecture search, SPOS (ECCV 2020).
"""

import inspect
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfdynnas import errors
from tfdynnas import registry
from tfdynnas import spaces
from tfdynnas.backend import current
from tfdynnas.supernet import epoch_length
from tfdynnas.supernet import initializers
from tfdynnas.supernet import nesting
from tfdynnas.supernet import networks
from tfdynnas.supernet import recalibration
from tfdynnas.supernet import single_image


@keras.saving.register_keras_serializable("tfdynnas")
class Supernet(keras.Model):
  """Every subnet of a space, sharing weights; one compiled graph runs any of them.

  An ordinary Keras model: `compile` takes the `method` that says what a training step does
  (tfdynnas.methods.SinglePath), `evaluate` and `predict` run the arch that `choose` set.

  Kinds of spaces differ in its body: the weights, and the way from images to features. A weight of
  the body may hold a row for each of several choices.

  Example:
    supernet = nas.Supernet(nas.spaces.nasbench201(channels=4, cells=1, image_size=8))
    supernet.compile(nas.MS(nas.CaLR(0.05)), method=nas.SinglePath())
    supernet.fit(data, epochs=1, batch_size=256, verbose=0)
    supernet.choose(supernet.space.largest())
    print(supernet.evaluate(data.batches("valid"), verbose=0))
    network = supernet.subnet(supernet.space.largest())  # A plain Keras model.
  """

  space: Any  # A spaces.Space with the skeleton of its kind.

  def __init__(
      self, space: spaces.Space, seed: int = 0, sharing: str = "separate",
      branch_scale: str = "none", **kwargs,
  ):
    """Makes the weights.

    Args:
      space: spaces.Space of a kind in registry.KINDS.
      seed: int >= 0, of the initial weights.
      sharing: "separate": each choice has kernels of its own, as in the papers. "shared": a smaller
        window is the middle of the largest one, a smaller expansion its first channels, as in
        "Once-for-All" (Cai et al., ICLR 2020).
      branch_scale: "zero": the last normalisation of a residual branch has a learned scale per
        channel that begins at zero. "none": it has none, as in the papers.
      **kwargs: name, dtype: as for any Keras model. With `mixed_bfloat16` the layers compute in
        bfloat16; weights, statistics, the classifier and all that is learnt stay float32.

    Raises:
      InputError: The space is of another kind, its choices do not nest, or it has no branches.
    """
    super().__init__(**kwargs)
    self.space, self.seed = space, seed
    self.sharing, self.branch_scale = sharing, branch_scale
    self.method = self.method_state = None
    body = registry.part(space, "body")
    self._body = body(space, self._add, **_taken(body, space, sharing, branch_scale))
    shape = (self._body.channels, self.space.skeleton.classes)
    self._dense = self._add("dense_kernel", shape, shape[0])
    self._bias = self._add("dense_bias", shape[1:], shape[0])
    self.arch = self.add_weight(
        name="arch", shape=(len(space.decisions),), dtype="int32", trainable=False,
        initializer=lambda shape, dtype: ops.cast(space.largest(), dtype),
        aggregation="only_first_replica",
    )
    self.built = True

  def _add(self, name, shape, fan_in):
    """Adds a weight, its initial values drawn from the seed and its place in the list, or zero."""
    seed = int(np.random.SeedSequence([self.seed, len(self.weights)]).generate_state(1)[0] >> 1)
    # Not cast by Keras, which would copy a whole weight where a step reads a few rows of it.
    initial = "zeros" if fan_in is None else initializers.uniform(fan_in, seed)
    return self.add_weight(name=name, shape=shape, initializer=initial, autocast=False)

  def choose(self, arch: Sequence[int]) -> None:
    """Sets the arch that `call`, `evaluate` and `predict` run when none is given."""
    self.arch.assign(np.array(self.space.validate(arch), np.int32))

  def call(
      self, images: Any, arch: Any = None, training: bool | None = None,
      reference: int | None = None,
  ) -> Any:
    """Logits of one subnet.

    Args:
      images: float [batch, height, width, 3], normalised.
      arch: int32 [decisions], a tensor or a sequence; None stands for the one `choose` set.
      training: Outside of training a single image is refused, since normalisation always uses batch
        statistics.
      reference: int; take the statistics of the first `reference` images alone, so that the logits
        of the others do not depend on one another; None takes those of the whole batch.

    Returns:
      float32 [batch, classes].

    Raises:
      InputError: One image outside of training, without a reference; see single_image.refuse.
    """
    if not training and reference is None:
      images = single_image.refuse(images)
    arch = ops.cast(self.arch if arch is None else arch, "int32")
    features = self._body(ops.cast(images, self.compute_dtype), arch, reference)
    features = ops.mean(ops.cast(features, "float32"), axis=[1, 2])
    return ops.matmul(features, self._dense) + self._bias

  def on_path(self, arch: Any) -> list[Any]:
    """Which trainable weights the choices of an arch have.

    Args:
      arch: int32 [decisions], or [paths, decisions] for the union of several paths.

    Returns:
      List of bool tensors, one per trainable weight: [] for a weight that every subnet has,
      [rows] for one whose rows belong to choices. A chosen operation counts even if no signal
      reaches it.
    """
    arch, masks = ops.reshape(ops.cast(arch, "int32"), [-1, len(self.space.decisions)]), {}
    for path, owners in self._body.owners.items():
      decisions, choices = (np.array(each, np.int32) for each in _columns(owners))
      chosen = ops.expand_dims(ops.take(arch, decisions, axis=1), 2)
      masks[path] = ops.any(ops.equal(chosen, choices), axis=[0, 2])
    return [masks.get(v.path, ops.convert_to_tensor(True)) for v in self.trainable_variables]

  def row_decisions(self) -> list[np.ndarray | None]:
    """The decision that each row of a trainable weight belongs to.

    Returns:
      List per trainable weight: int array [rows] for one whose rows belong to choices, None for a
      weight that every subnet has.
    """
    found = {path: np.array(_columns(own)[0]) for path, own in self._body.owners.items()}
    return [found.get(v.path) for v in self.trainable_variables]

  def subnet(
      self, arch: Sequence[int], statistics: str | None = None, dropout: float = 0.0,
      images: Any = None,
  ) -> keras.Model:
    """The network of one arch as a plain Keras model with the inherited weights.

    With `images` it uses their running statistics, and the logits of an image depend on it alone.
    Without, it normalises by each batch's own statistics: the logits of an image depend on its
    batch, and a single image is refused.

    Args:
      arch: Sequence of ints, one per decision.
      statistics: `batch`: the logits of the supernet. `running`: affine normalisation with running
        statistics, those of `images`; without them, training or recalibration.recalibrate must
        measure them first. None: `running` with `images`, else `batch`.
      dropout: float in [0, 1), as for networks.plain_network.
      images: Sample of training images, float [n, height, width, 3], normalised, n >= 2.

    Returns:
      keras.Model, normalised images -> logits.

    Raises:
      InputError: There is no such arch or `statistics`, or too few images, or images with `batch`.
    """
    arch = self.space.validate(arch)
    statistics = statistics or ("batch" if images is None else "running")
    if images is not None and statistics == "batch":
      raise errors.InputError("`images` need running statistics. Received: statistics='batch'")
    model = networks.plain_network(
        self.space, arch, statistics, self.seed, dropout=dropout,
        scaled=self.branch_scale == "zero",
    )
    dense = "dense", {"kernel": self._dense, "bias": self._bias}
    for name, weights in (*self._body.inherited(arch), dense):
      for weight, value in weights.items():  # Copies: a step on JAX gives its arrays away.
        getattr(model.get_layer(name), weight).assign(ops.convert_to_numpy(value))
    if images is not None:
      recalibration.recalibrate(model, recalibration.batches(images))
    return model

  def compile(
      self, optimizer: Any = "rmsprop", loss: Any = None, method: Any = None, **kwargs
  ) -> None:
    """Prepares for training.

    Args:
      optimizer: As for any Keras model; a method binds the bounds, paths and groups that were not
        given to its CaLR and MS.
      loss: On logits; None with a method: cross-entropy of int labels.
      method: What a training step does, for example methods.SinglePath; needed by `fit`.
      **kwargs: As for any Keras model; with a method, the defaults are accuracy as `metrics`, and
        the fastest `jit_compile` for training on this backend.

    Raises:
      InputError: The method cannot be run with these settings.
    """
    optimizer = keras.optimizers.get(optimizer)  # A config is checked like the optimizer it makes.
    settings = {**kwargs, "optimizer": optimizer, "loss": loss}
    if method is not None:
      settings = method.bind_compile(self.space, settings)
    super().compile(**settings)
    self.method = method
    self.method_state = getattr(method, "state", None)  # A layer here, so that it is saved.

  def fit(
      self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1, *,
      run_dir: str | os.PathLike | None = None, **kwargs,
  ) -> keras.callbacks.History:
    """Trains as Keras' `fit` does, and binds the steps that schedule and method were not given.

    Args:
      x: As for Keras' `fit`; or data.Data, whose training images are used in an order of the
        supernet's seed, without augmentation.
      y: As for Keras' `fit`.
      batch_size: As for Keras' `fit`.
      epochs: As for Keras' `fit`.
      run_dir: Folder of a run, with the log, events and checkpoints of tools/train_supernet.py.
        After a kill, the same call resumes bit-exactly, and the tools accept the run. x must be
        data.Data that a tool can load again; the only other arguments are batch_size, epochs,
        verbose, callbacks and validation_data. None trains without a run.
      **kwargs: As for Keras' `fit`.

    Returns:
      keras.callbacks.History; with run_dir, of all epochs of the run.

    Raises:
      InputError: The training has begun with CaLR bound to fewer steps; the directory is of another
        run, or cannot record a setting or the data.
    """
    if run_dir is not None:
      from tfdynnas.jobs import fit  # Late and upward: the jobs define a run.

      kwargs = kwargs if y is None else {"y": y, **kwargs}
      return fit.in_run(self, x, run_dir, batch_size, epochs, **kwargs)
    if hasattr(x, "batches"):
      x = x.batches("train", batch_size or epoch_length.KERAS_BATCH, self.seed)
      batch_size = None
    if self.method is not None:
      self._bind_fit(x, batch_size, epochs, **kwargs)
    return super().fit(x, y, batch_size=batch_size, epochs=epochs, **kwargs)

  def _bind_fit(
      self, x, batch_size, epochs, validation_split=0.0, initial_epoch=0, steps_per_epoch=None,
      **kwargs,
  ):
    """Binds the steps of a training, if they can be known."""
    del kwargs
    each = epoch_length.steps(x, batch_size, steps_per_epoch, validation_split)
    if each:
      done = int(ops.convert_to_numpy(self.optimizer.iterations))
      self.method.bind_fit(self.optimizer, done, done + each * (epochs - initial_epoch), epochs)

  def train_step(self, *args) -> Any:
    """One step of the method that `compile` was given."""
    if self.method is None:
      raise errors.InputError(
          "`fit` needs to know which paths to train: compile(..., "
          "method=methods.SinglePath(...)). Received: method=None"
      )
    return current.train_step(self.method, self, *args)

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`."""
    return {
        **super().get_config(), "space": spaces.to_config(self.space), "seed": self.seed,
        "sharing": self.sharing, "branch_scale": self.branch_scale,
    }

  @classmethod
  def from_config(cls, config: dict[str, Any]) -> "Supernet":
    """Makes the supernet from its config."""
    return cls(**{**config, "space": spaces.from_config(config["space"])})

  def get_compile_config(self) -> dict[str, Any] | None:
    """Config of the arguments of `compile`."""
    config = super().get_compile_config()
    if config:
      config["method"] = keras.saving.serialize_keras_object(self.method)
    return config

  def compile_from_config(self, config: dict[str, Any]) -> None:
    """Compiles as the config says, and builds the optimizer so that its state can be loaded."""
    self.compile(**keras.saving.deserialize_keras_object(config))
    if self.optimizer is not None:
      self.optimizer.build(self.trainable_variables)


def _taken(body, space, sharing, branch_scale):
  """dict, name -> value of the settings that are not the usual ones; the body must know them."""
  found = {}
  for name, value, known in (
      ("sharing", sharing, nesting.SHARINGS), ("branch_scale", branch_scale, ("none", "zero"))
  ):
    if value not in known:
      raise errors.InputError(f"`{name}` must be one of {', '.join(known)}. Received: {value!r}")
    if value != known[0]:
      found[name] = value
      if name not in inspect.signature(body).parameters:
        raise errors.InputError(
            f"`{name}` is not for spaces of {space.kind}. Received: {value} for `{space.name}`"
        )
  return found


def _columns(owners):
  """(decisions, choices) of a list of (decision, choices): equally many, the last one repeated."""
  most = max(len(choices) for _, choices in owners)
  padded = [[*choices, *choices[-1:] * (most - len(choices))] for _, choices in owners]
  return [decision for decision, _ in owners], padded
