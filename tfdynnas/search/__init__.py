"""Which subnet of a trained supernet is good: evolution and other searches, as keras-tuner.

Importing this does not import keras-tuner, which scoring does without; `search.tuner`,
`search.oracle`, `search.hyperparameters` and `search.durable` do.
"""

from tfdynnas.search.evolution import Settings
from tfdynnas.search.evolution import next_arch
from tfdynnas.search.evolution import propose
