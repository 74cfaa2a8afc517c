"""Which arch is trained next: pure functions of (seed, step)."""

from tfdynnas.sampling.by_budget import Budget
from tfdynnas.sampling.by_complexity import Proportional
from tfdynnas.sampling.by_complexity import Stratified
from tfdynnas.sampling.uniform import Fair
from tfdynnas.sampling.uniform import Uniform
from tfdynnas.sampling.uniform import split_decision
