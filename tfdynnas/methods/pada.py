"""PA&DA: paths drawn by the gradients of their choices, and images by how wrong the logits were.

Source: Lu et al., PA&DA (CVPR 2023), importance sampling of paths and data.
"""

from typing import Any

import keras
from keras import ops

from tfdynnas import errors
from tfdynnas import hashing
from tfdynnas import spaces
from tfdynnas.methods import importance
from tfdynnas.methods import path_importance

_IMAGES = 0x696D6167  # First counter of this use of the hash, "imag".


@keras.saving.register_keras_serializable("tfdynnas")
class PADA(path_importance.PathImportance):
  """A method of one path per step, drawn as by PathImportance, on images drawn by importance.

  The importance of an image is ||softmax(logits) - onehot(label)||, the norm of the gradient with
  respect to its logits: the mean over the steps of an epoch that had it, unchanged if none did.
  Epoch e of E draws its images with replacement by tau * importance / sum + (1 - tau) / images,
  tau = e / E; the first epoch uses each once, without drawing.

  The losses of a step are averaged without weights: the source's training, as specified, does not
  divide them by the images' probabilities, so that their mean leans towards hard images.

  Images are a pure function of (seed, step, place in the batch's order, distribution), and the
  distribution is in `state`.

  Example:
    from tfdynnas.data import feeds

    feed = feeds.TrainingFeed(data, data.train, batch=64, seed=0)  # Looks up what is drawn.
    method = nas.PADA(images=feed.held_images, prepare=feed.prepare)
    supernet.compile(nas.MS(nas.CaLR(0.05)), method=method)
    batches = feed.batches(0, feed.steps(epochs=2))  # For `supernet.fit`.
  """

  SETTINGS = ("images", *path_importance.PathImportance.SETTINGS)

  def __init__(
      self, space: spaces.Space | None = None, images: int | None = None, *args, **kwargs
  ):
    """Makes the method and its state; call it in the strategy's scope.

    Args:
      space: As for methods.PathImportance.
      images: int >= 1, held images to draw from; None: bound by `Supernet.fit`.
      *args: As for methods.PathImportance. `prepare` is needed to train, and takes batches of
        `index`, the number of an image, and `place`, which tells two of one image apart.
      **kwargs: As for methods.PathImportance.

    Raises:
      InputError: As for methods.PathImportance, or `images` is out of range.
    """
    self._count = images
    super().__init__(space, *args, **kwargs)

  def bind(self, space: spaces.Space) -> None:
    """Sets the space, unless there is one, and makes the state that is known so far."""
    super().bind(space)
    if self._count is not None:
      self._make_images()

  def bind_fit(
      self, optimizer: keras.Optimizer, done: int, steps: int, epochs: int, images: int = 0
  ) -> None:
    """Binds what depends on the length of the training and its images."""
    super().bind_fit(optimizer, done, steps, epochs, images)
    if self._count is None:
      self._count = images
      self._make_images()

  def _make_images(self):
    if self._count < 1:
      raise errors.InputError(
          f"`sampler` pada needs images that are held, not streamed. Received: images={self._count}"
      )
    self.images = importance.OfImages(self._count)
    self.state = _Both(self.paths, self.images)

  def draw(self, batch: Any, step: Any) -> Any:
    """The batch with drawn images; its `index`, each once in an epoch, becomes their `place`."""
    if self.prepare is None:
      raise errors.InputError(
          "PADA needs `prepare`, which looks up the images that are drawn. Received: None"
      )
    place = batch["index"]
    bits = hashing.uniform_uint32(self.seed, _IMAGES, step, place)
    drawn = hashing.picked(bits, ops.convert_to_tensor(self.images.distribution))
    index = ops.where(step < self.steps_per_epoch, place, drawn)
    return {**batch, "index": index, "place": place}

  def note(self, step: Any, batch: Any, labels: Any, logits: Any) -> None:
    """Records how wrong the logits were, and at the end of an epoch sets the distribution."""
    truth = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    norms = ops.sqrt(ops.sum(ops.square(ops.softmax(logits) - truth), axis=1))
    tau, ends = self.epoch_end(step)
    self.images.see(batch["index"], norms, ends)
    self.images.draw_by(tau, ends)

  def get_config(self) -> dict[str, Any]:
    """Config for `from_config`; the state is among the weights."""
    return {**super().get_config(), "images": self._count}


class _Both(keras.layers.Layer):
  """Both states as one layer."""

  def __init__(self, paths, images):
    super().__init__(name="importances", trainable=False)
    self.paths, self.images = paths, images
    self.built = True
