"""Refuses a batch of one image where images are normalised by the batch's own statistics."""

from tfdynnas import errors
from tfdynnas.backend import batch_normalization

_RULE = (
    "Normalisation by the batch's own statistics needs >= 2 images at once, better hundreds: one "
    "by one a network answers little better than by chance. Give several, or take "
    "subnet(arch, images=...), which keeps the statistics of a sample. Received: 1"
)


def refuse(images):
  """Refuses one image, as soon as the size of the batch is known.

  Args:
    images: float [batch, height, width, channels].

  Returns:
    `images`.

  Raises:
    InputError: The batch has one image. A TensorFlow graph with an open batch size raises
      tf.errors.InvalidArgumentError with the same line when it runs. On JAX, Keras' `predict` has
      detached the model's variables by then, as before any error: load them again.
  """
  if images.shape[0] == 1:
    raise errors.InputError(_RULE)
  return images if images.shape[0] else batch_normalization.refuse_one(images, _RULE)
