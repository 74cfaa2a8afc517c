"""One step of training, the same on every back end: draw, tell, differentiate, note, update."""

from keras import ops


def train(method, supernet, batch, differentiate):
  """Does one step.

  Args:
    method: training.Method.
    supernet: supernet.Supernet, compiled, its optimizer built.
    batch: What the data set yields; `method.prepare` makes (images, labels) of it.
    differentiate: The back end's: (supernet, images, labels, paths, factors, distils) ->
      (gradients, loss, logits), see `on_tensorflow.differentiate`.

  Returns:
    dict, metric name -> value; of several paths the mean.
  """
  optimizer, weights = supernet.optimizer, supernet.trainable_variables
  step = ops.convert_to_tensor(optimizer.iterations)
  batch = method.draw(batch, step)
  images, labels = method.prepare(batch, step) if method.prepare else batch
  paths = method.sampler(step)
  count = paths.shape[0]
  method.tell(optimizer, paths, supernet.on_path)
  factors = method.weights(optimizer, paths, step) if count > 1 else None
  gradients, loss, logits = differentiate(
      supernet, images, labels, paths, factors, method.distils
  )
  method.observe(supernet, step, paths, gradients)
  method.note(step, batch, labels, logits)
  optimizer.apply(gradients, weights)
  labels = ops.concatenate([labels] * count, axis=0) if count > 1 else labels
  for metric in supernet.metrics:
    if metric.name == "loss":
      metric.update_state(loss)
    else:
      metric.update_state(labels, logits)
  return supernet.get_metrics_result()
