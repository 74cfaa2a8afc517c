"""How the supernet learns: samplers, CaLR, MS, methods and the loop."""

from tfdynnas.training.by_budget import Budget
from tfdynnas.training.by_complexity import Proportional
from tfdynnas.training.by_complexity import Stratified
from tfdynnas.training.calr import CaLR
from tfdynnas.training.fairnas import FairNAS
from tfdynnas.training.method import Method
from tfdynnas.training.ms import MS
from tfdynnas.training.pada import PADA
from tfdynnas.training.path_importance import PathImportance
from tfdynnas.training.sampler import Fair
from tfdynnas.training.sampler import Uniform
from tfdynnas.training.sampler import split_decision
from tfdynnas.training.sandwich import Sandwich
from tfdynnas.training.single_path import SinglePath
