"""Gradients of one or several paths on TensorFlow."""

import keras
import tensorflow as tf

from tfdynnas.backend.tensorflow import devices


def differentiate(supernet, images, labels, paths, factors, distils):
  """Gradients of the paths of a step, as contract.Backend.differentiate."""
  if paths.shape[0] > 1:
    return _several(supernet, images, labels, paths, factors, distils)
  with tf.GradientTape() as tape:
    logits = supernet(images, arch=paths[0], training=True)
    loss = supernet.compute_loss(x=images, y=labels, y_pred=logits)
    scaled = supernet.optimizer.scale_loss(loss)
  return tape.gradient(scaled, supernet.trainable_variables), loss * devices.replicas(), logits


def _several(supernet, images, labels, paths, factors, distils):
  """Sums the gradients of several paths in turn: only one path is traced and in memory."""
  count, weights = paths.shape[0], supernet.trainable_variables
  classes = supernet.space.skeleton.classes

  def one(number, sums, losses, outputs, target):
    with tf.GradientTape() as tape:
      logits = supernet(images, arch=paths[number], training=True)
      loss = supernet.compute_loss(x=images, y=labels, y_pred=logits)
      if distils:
        loss = tf.where(number == 0, loss, _distillation(target, logits))
      scaled = supernet.optimizer.scale_loss(loss * factors[number])
    gradients = tape.gradient(scaled, weights, unconnected_gradients="zero")
    sums = [total + _of_shape(gradient, total.shape) for total, gradient in zip(sums, gradients)]
    target = tf.where(number == 0, tf.nn.softmax(logits), target)
    return number + 1, sums, losses + loss, outputs.write(number, logits), target

  zeros = [tf.zeros(weight.shape, weight.dtype) for weight in weights]
  start = (
      tf.constant(0), zeros, tf.constant(0.0), tf.TensorArray(tf.float32, count),
      tf.zeros([tf.shape(images)[0], classes]),
  )
  _, sums, losses, outputs, _ = tf.while_loop(
      lambda number, *_: number < count, one, start, parallel_iterations=1
  )
  return sums, losses / count * devices.replicas(), outputs.concat()


def _of_shape(gradient, shape):
  """A gradient as a tensor of known shape, which a loop needs; that of joined parts has none."""
  gradient = tf.convert_to_tensor(gradient)
  gradient.set_shape(shape)
  return gradient


def _distillation(target, logits):
  """Cross-entropy with another path's softmax, divided by the replicas as Keras divides a loss."""
  loss = tf.nn.softmax_cross_entropy_with_logits(target, logits)
  return tf.reduce_mean(loss) / devices.replicas()


def path_gradient(supernet, images, labels, arch):
  """Gradient of the mean loss of one arch, as contract.Backend.path_gradient."""
  weights = supernet.trainable_variables
  with tf.GradientTape() as tape:
    logits = supernet(images, arch=arch, training=True)
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    loss = tf.reduce_mean(losses)
  gradients = tape.gradient(
      loss, [w.value for w in weights], unconnected_gradients=tf.UnconnectedGradients.ZERO
  )
  return [tf.convert_to_tensor(gradient) for gradient in gradients]
