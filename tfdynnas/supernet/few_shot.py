"""The supernets of a few-shot run as one: an arch runs with the weights of its part.

Source: Zhao et al., few-shot neural architecture search (ICML 2021).
"""


class FewShot:
  """One supernet and the weights of each part, which are loaded into it when needed.

  All parts share one compiled graph, and code that scores archs need not know of them.

  Attributes:
    space: spaces.Space.
    parts: spaces.Parts.
  """

  def __init__(self, supernet, parts, values):
    """Takes the supernet and the weights of its parts.

    Args:
      supernet: supernet.Supernet that runs the archs.
      parts: spaces.Parts.
      values: List per part of the arrays of `supernet.trainable_variables`.
    """
    self.space, self.parts = supernet.space, parts
    self._supernet, self._values, self._current = supernet, values, None

  @property
  def trainable_variables(self):
    """The supernet's weights, with the values of the part that ran last."""
    return self._supernet.trainable_variables

  @property
  def seed(self):
    """int, the supernet's."""
    return self._supernet.seed

  def choose(self, arch):
    """Sets the arch that `__call__` runs by default, and the part for all that it runs."""
    self._supernet.choose(arch)
    part = self.parts.of(arch)
    if part != self._current:
      self._current = None  # Until all its weights are set.
      for variable, value in zip(self._supernet.trainable_variables, self._values[part]):
        variable.assign(value)
      self._current = part

  def __call__(self, images, arch=None, training=None, reference=None):
    """Logits of one subnet of the part that `choose` set, as Supernet.call gives them."""
    return self._supernet(images, arch=arch, training=training, reference=reference)

  def subnet(self, arch, statistics=None, dropout=0.0, images=None):
    """The network of one arch as a plain Keras model, with the weights of its part."""
    self.choose(arch)
    return self._supernet.subnet(arch, statistics, dropout, images)
