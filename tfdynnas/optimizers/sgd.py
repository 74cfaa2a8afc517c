"""The arithmetic of one update: SGD with momentum in PyTorch's form.

Source: the optimizer of all published runs. Keras' own SGD keeps past learning rates inside its
velocity and decays weights apart from the gradient; with a rate that changes at every step, as
under CaLR, that is another method.
"""

from keras import ops


def clip_factor(gradients, max_norm):
  """Factor that brings the global norm down to `max_norm`: min(1, max_norm / (norm + 1e-6)).

  Args:
    gradients: Sequence of float tensors.
    max_norm: Greatest norm allowed, > 0.

  Returns:
    float32 scalar in (0, 1].
  """
  # A dot product makes no array of squares: one pass over the memory in place of three.
  flat = [ops.reshape(ops.cast(gradient, "float32"), [-1]) for gradient in gradients]
  squares = [ops.dot(gradient, gradient) for gradient in flat]
  return ops.minimum(1.0, max_norm / (ops.sqrt(sum(squares)) + 1e-6))


def update(weight, buffer, gradient, learning_rate, momentum, l2, nesterov):
  """One step of SGD: d = g + l2 w; b' = m b + d; u = d + m b' (Nesterov) or b'; w' = w - lr u.

  A buffer that starts at zero gives PyTorch's first step, which sets it to d.

  Args:
    weight: float [...].
    buffer: float, of the weight's shape: the momentum buffer of the step's group.
    gradient: float, of the weight's shape, clipped.
    learning_rate: float scalar >= 0.
    momentum: float in [0, 1).
    l2: float >= 0, weight decay coupled to the gradient.
    nesterov: Python bool.

  Returns:
    (weight, buffer) after the step.
  """
  decayed = gradient + l2 * weight
  buffer = momentum * buffer + decayed
  direction = decayed + momentum * buffer if nesterov else buffer
  return weight - learning_rate * direction, buffer
