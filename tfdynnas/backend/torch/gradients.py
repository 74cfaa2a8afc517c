"""Gradients of one or several paths on PyTorch."""

import keras
import torch


@torch.enable_grad()
def differentiate(supernet, images, labels, paths, factors, distils):
  """Gradients of the paths of a step, as contract.Backend.differentiate."""
  weights = [weight.value for weight in supernet.trainable_variables]
  sums, losses, outputs = [0] * len(weights), [], []
  for number, arch in enumerate(paths):
    logits = supernet(images, arch=arch, training=True)
    loss = supernet.compute_loss(x=images, y=labels, y_pred=logits)
    if distils and number:
      loss = torch.nn.functional.cross_entropy(logits, torch.softmax(outputs[0], dim=1))
    scaled = supernet.optimizer.scale_loss(loss if factors is None else loss * factors[number])
    gradients = torch.autograd.grad(scaled, weights, materialize_grads=True)
    sums = [total + gradient for total, gradient in zip(sums, gradients)]
    losses.append(loss.detach())
    outputs.append(logits.detach())
  return sums, torch.mean(torch.stack(losses)), torch.cat(outputs)


@torch.enable_grad()
def path_gradient(supernet, images, labels, arch):
  """Gradient of the mean loss of one arch, as contract.Backend.path_gradient."""
  logits = supernet(images, arch=arch, training=True)
  losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
  weights = [weight.value for weight in supernet.trainable_variables]
  return list(torch.autograd.grad(torch.mean(losses), weights, materialize_grads=True))


def filled(gradients, variables):
  """Gradients with zeros for weights that a step did not use.

  A compiled condition or switch of another backend gives such zeros; PyTorch runs the chosen branch
  alone, and gives None.

  Args:
    gradients: Sequence of tensors or None.
    variables: Sequence of keras.Variable.

  Returns:
    List of tensors; None for weights that their gradient overwrites; all None if all were None.
  """
  if all(gradient is None for gradient in gradients):
    return gradients
  return [
      torch.zeros_like(variable.value)
      if gradient is None and not getattr(variable, "overwrite_with_gradient", False) else gradient
      for gradient, variable in zip(gradients, variables)
  ]
