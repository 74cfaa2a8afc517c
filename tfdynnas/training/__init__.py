"""How the supernet learns: samplers, CaLR, MS, methods and the loop."""

from tfdynnas.training.calr import CaLR
from tfdynnas.training.ms import MS
from tfdynnas.training.sampler import Uniform
from tfdynnas.training.sampler import split_decision
from tfdynnas.training.single_path import SinglePath
