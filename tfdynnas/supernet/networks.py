"""The network of one arch as a plain Keras model, of either kind of space."""

from tfdynnas import spaces
from tfdynnas.supernet.cells import network
from tfdynnas.supernet.layers import network as network_lib


def plain_network(space, arch, statistics="running", seed=0, live_only=False, dropout=0.0):
  """Builds the network of one arch.

  Args:
    space: spaces.CellSpace or spaces.LayerSpace.
    arch: Sequence of ints, one per decision.
    statistics: Normalisation, one of named_layers.STATISTICS.
    seed: int >= 0, of the initial weights.
    live_only: Leave out what does not change the logits; of layers there is no such thing.
    dropout: float in [0, 1), share of the features before the classifier that a step of training
      leaves out.

  Returns:
    keras.Model, normalised images float [batch, height, width, 3] -> logits [batch, classes].

  Raises:
    InputError: The arch is not of this space, or no such normalisation.
  """
  if isinstance(space, spaces.LayerSpace):
    return network_lib.layer_network(space, arch, statistics, seed, dropout)
  return network.cell_network(space, arch, statistics, seed, live_only, dropout)
