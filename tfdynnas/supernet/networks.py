"""The network of one arch as a plain Keras model, for every kind of space."""

from tfdynnas import registry


def plain_network(
    space, arch, statistics="running", seed=0, live_only=False, dropout=0.0, scaled=False
):
  """Builds the network of one arch.

  Args:
    space: spaces.Space of a kind in registry.KINDS.
    arch: Sequence of ints, one per decision.
    statistics: Normalisation, one of named_layers.STATISTICS.
    seed: int >= 0, of the initial weights.
    live_only: Leave out edges that do not change the logits; layer spaces have none.
    dropout: float in [0, 1), share of the features before the classifier that a training step
      leaves out.
    scaled: Whether `batch` normalisation has a scale per channel at the end of a residual branch;
      for kinds of spaces that have such branches.

  Returns:
    keras.Model, normalised images float [batch, height, width, 3] -> logits [batch, classes].

  Raises:
    InputError: The arch is not of this space, or no such normalisation.
  """
  kwargs = {"scaled": True} if scaled else {}
  return registry.part(space, "network")(
      space, arch, statistics, seed, live_only, dropout, **kwargs
  )
