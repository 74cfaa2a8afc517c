"""Gradients of one or several paths on JAX."""

import jax
import keras
from jax import numpy as jnp


def differentiate(supernet, images, labels, paths, factors, distils):
  """Gradients of the paths of a step, as contract.Backend.differentiate."""
  weights = supernet.trainable_variables
  values = [jnp.asarray(weight.value) for weight in weights]
  images, labels = _shared_out(images), _shared_out(labels)
  scale = supernet.optimizer.scale_loss(jnp.float32(1))

  def loss_of(values, number, arch, factor, target):
    with keras.StatelessScope(state_mapping=list(zip(weights, values))):
      logits = supernet(images, arch=arch, training=True)
      loss = supernet.compute_loss(x=images, y=labels, y_pred=logits)
    if target is not None:
      loss = jnp.where(number == 0, loss, _cross_entropy(target, logits))
    return loss * factor * scale, (loss, logits)

  slope = jax.value_and_grad(loss_of, has_aux=True)
  if paths.shape[0] == 1:
    (_, (loss, logits)), gradients = slope(values, 0, paths[0], 1.0, None)
    return gradients, loss, logits

  def one(carry, path):
    sums, target = carry
    (_, (loss, logits)), gradients = slope(values, *path, target)
    sums = [total + gradient for total, gradient in zip(sums, gradients)]
    if distils:
      target = jnp.where(path[0] == 0, jax.nn.softmax(logits), target)
    return (sums, target), (loss, logits)

  count, classes = paths.shape[0], supernet.space.skeleton.classes
  target = jnp.zeros([images.shape[0], classes]) if distils else None
  start = [jnp.zeros_like(value) for value in values], target
  (sums, _), (losses, logits) = jax.lax.scan(one, start, (jnp.arange(count), paths, factors))
  return sums, jnp.mean(losses), jnp.reshape(logits, [-1, classes])


def _cross_entropy(target, logits):
  return -jnp.mean(jnp.sum(target * jax.nn.log_softmax(logits), axis=1))


def _shared_out(batch):
  """A batch, divided among the devices."""
  distribution = keras.distribution.distribution()
  if distribution is None:
    return batch
  layout = distribution.get_data_layout(batch.shape)
  return keras.distribution.distribute_tensor(batch, layout)


def path_gradient(supernet, images, labels, arch):
  """Gradient of the mean loss of one arch, as contract.Backend.path_gradient."""
  weights = supernet.trainable_variables

  def loss_of(values):
    with keras.StatelessScope(state_mapping=list(zip(weights, values))):
      logits = supernet(images, arch=arch, training=True)
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return jnp.mean(losses)

  return jax.grad(loss_of)([jnp.asarray(weight.value) for weight in weights])
