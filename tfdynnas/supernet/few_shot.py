"""The supernets of a few-shot run as one: an arch runs with the weights of its part.

Source: Zhao et al., few-shot neural architecture search (ICML 2021).
"""


class FewShot:
  """One supernet, and the weights of each part, which are put into it when their turn comes.

  So there is one compiled graph for all parts, and whoever scores archs need not know of parts.

  Attributes:
    space: spaces.Space.
    parts: spaces.Parts.
  """

  def __init__(self, supernet, parts, values):
    """Takes the weights.

    Args:
      supernet: supernet.Supernet that runs the archs.
      parts: spaces.Parts.
      values: List per part of the arrays of `supernet.trainable_variables`.
    """
    self.space, self.parts = supernet.space, parts
    self._supernet, self._values, self._current = supernet, values, None

  @property
  def trainable_variables(self):
    """Those of the supernet, at the values of the part that ran last."""
    return self._supernet.trainable_variables

  @property
  def seed(self):
    """int, the supernet's."""
    return self._supernet.seed

  def choose(self, arch):
    """Sets the arch that `__call__` runs when none is given, and its part for any that is."""
    self._supernet.choose(arch)
    part = self.parts.of(arch)
    if part != self._current:
      self._current = None  # Until all of them are there.
      for variable, value in zip(self._supernet.trainable_variables, self._values[part]):
        variable.assign(value)
      self._current = part

  def __call__(self, images, arch=None, training=None, reference=None):
    """Logits of one subnet of the part that `choose` set; as for a Supernet."""
    return self._supernet(images, arch=arch, training=training, reference=reference)

  def subnet(self, arch, statistics=None, dropout=0.0, images=None):
    """The network of one arch as a plain Keras model, with the weights of its part."""
    self.choose(arch)
    return self._supernet.subnet(arch, statistics, dropout, images)
