"""CaLR and MS: a Keras schedule and a Keras optimizer for any model."""

from tfdynnas.optimizers.calr import CaLR
from tfdynnas.optimizers.ms import MS
