"""Searches for good subnets of a trained supernet: evolution and others, as tuners of keras-tuner.

Importing this package does not import keras-tuner, which scoring does not need; `search.tuner`,
`search.oracle`, `search.hyperparameters` and `search.durable` do.
"""

from tfdynnas.search.evolution import Settings
from tfdynnas.search.evolution import next_arch
from tfdynnas.search.evolution import propose
