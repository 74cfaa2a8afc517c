"""Which subnet of a trained supernet is good: evolution and other searches, as keras-tuner."""

from tfdynnas.search.durable import DurableOracle
from tfdynnas.search.evolution import Settings
from tfdynnas.search.evolution import next_arch
from tfdynnas.search.evolution import propose
from tfdynnas.search.hyperparameters import to_arch
from tfdynnas.search.hyperparameters import to_hyperparameters
from tfdynnas.search.hyperparameters import to_values
from tfdynnas.search.limits import LimitedSpace
from tfdynnas.search.limits import Limits
from tfdynnas.search.limits import meets
from tfdynnas.search.oracle import EvolutionOracle
from tfdynnas.search.oracle import objective
from tfdynnas.search.tuner import SupernetTuner
