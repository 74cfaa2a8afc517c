"""The train step on TensorFlow."""

import tensorflow as tf


def train_step(method, supernet, batch):
  """One step: sample a path, tell schedule and optimizer, differentiate, update.

  Args:
    method: training.SinglePath.
    supernet: supernet.Supernet, compiled.
    batch: What the data set yields; `method.prepare` makes (images, labels) of it.

  Returns:
    dict, metric name -> value.
  """
  step = tf.identity(supernet.optimizer.iterations.value)
  images, labels = method.prepare(batch, step) if method.prepare else batch
  paths = method.sampler(step)
  method.tell(supernet.optimizer, paths, supernet.on_path)
  with tf.GradientTape() as tape:
    logits = supernet(images, arch=paths[0], training=True)
    loss = supernet.compute_loss(x=images, y=labels, y_pred=logits)
    scaled = supernet.optimizer.scale_loss(loss)
  weights = supernet.trainable_variables
  supernet.optimizer.apply(tape.gradient(scaled, weights), weights)
  return _metrics(supernet, loss, labels, logits)


def _metrics(supernet, loss, labels, logits):
  """Updates and returns the metrics; Keras divides a replica's loss by their number."""
  replicas = tf.distribute.get_strategy().num_replicas_in_sync
  for metric in supernet.metrics:
    if metric.name == "loss":
      metric.update_state(loss * replicas)
    else:
      metric.update_state(labels, logits)
  return {name: value for metric in supernet.metrics for name, value in _results(metric)}


def _results(metric):
  result = metric.result()
  return result.items() if isinstance(result, dict) else [(metric.name, result)]
