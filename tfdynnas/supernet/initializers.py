"""Initial weights: uniform in +-1 / sqrt(fan_in), the PyTorch default of all published runs."""

import math

import keras


def uniform(fan_in, seed):
  """Initialiser U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)) for a kernel or a bias.

  Args:
    fan_in: Inputs of one output: window * window * channels in.
    seed: Python int.

  Returns:
    keras.initializers.Initializer.
  """
  bound = 1 / math.sqrt(fan_in)
  return keras.initializers.RandomUniform(-bound, bound, seed=seed)
