"""PA&DA: paths drawn by the gradients of their choices, and images by how wrong the logits were.

Source: Lu et al., PA&DA (CVPR 2023), importance sampling of paths and data.
"""

import keras
from keras import ops

from tfdynnas import errors
from tfdynnas import hashing
from tfdynnas.training import importance
from tfdynnas.training import path_importance

_IMAGES = 0x696D6167  # First counter of this use of the hash, "imag".


@keras.saving.register_keras_serializable("tfdynnas")
class PADA(path_importance.PathImportance):
  """The method of one path per step, drawn as PathImportance does, on images drawn alike.

  The importance of an image is ||softmax(logits) - onehot(label)||, the norm of the gradient with
  respect to its logits: in an epoch the mean over the steps that had it, and what it was where no
  step had it. Epoch e of E draws its images with replacement by tau * importance / sum + (1 - tau)
  / images, tau = e / E; the first one sees each once, as ever.

  The losses of a step are averaged as they are: the source's training, as specified, does not
  divide them by the images' probabilities, so that their mean leans towards hard images.

  Images are a pure function of (seed, step, place in the batch's order, distribution), and the
  distribution is in `state`.
  """

  def __init__(self, space, images, *args, **kwargs):
    """Makes the method and its state; call it in the strategy's scope.

    Args:
      space: As for training.PathImportance.
      images: int >= 1, held images to draw from.
      *args: As for training.PathImportance, as is kwargs. `prepare` is needed to train, and takes
        batches of `index`, which image, and `place`, what to tell apart two of one image by.
      **kwargs: See above.

    Raises:
      InputError: As for training.PathImportance, or there are no such images.
    """
    super().__init__(space, *args, **kwargs)
    if images < 1:
      raise errors.InputError(
          f"`sampler` pada needs images that are held, not streamed. Received: {images=}"
      )
    self.images = importance.OfImages(images)
    self.state = _Both(self.paths, self.images)

  def draw(self, batch, step):
    """The batch with other images: its `index`, each once in an epoch, becomes their `place`."""
    if self.prepare is None:
      raise errors.InputError(
          "PADA needs `prepare`, which looks up the images that are drawn. Received: None"
      )
    place = batch["index"]
    bits = hashing.uniform_uint32(self.seed, _IMAGES, step, place)
    drawn = hashing.picked(bits, ops.convert_to_tensor(self.images.distribution))
    index = ops.where(step < self.steps_per_epoch, place, drawn)
    return {**batch, "index": index, "place": place}

  def note(self, step, batch, labels, logits):
    """Notes how wrong the logits were, and at the end of an epoch sets the distribution."""
    truth = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    norms = ops.sqrt(ops.sum(ops.square(ops.softmax(logits) - truth), axis=1))
    tau, ends = self.epoch_end(step)
    self.images.see(batch["index"], norms, ends)
    self.images.draw_by(tau, ends)

  def get_config(self):
    """Config for `from_config`; the state is among the weights."""
    return {**super().get_config(), "images": self.images.importance.shape[0]}


class _Both(keras.layers.Layer):
  """Both states as one layer."""

  def __init__(self, paths, images):
    super().__init__(name="importances", trainable=False)
    self.paths, self.images = paths, images
    self.built = True
