"""Methods: what one training step does."""

from tfdynnas.methods.fairnas import FairNAS
from tfdynnas.methods.method import Method
from tfdynnas.methods.pada import PADA
from tfdynnas.methods.path_importance import PathImportance
from tfdynnas.methods.sandwich import Sandwich
from tfdynnas.methods.single_path import SinglePath
