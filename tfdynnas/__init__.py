"""N-shot neural architecture search in Keras 3: train a supernet, search it, serve the result.

The names below are imported on first use, so that `import tfdynnas` is fast and code that needs
no Keras runs without it.

Example:
  import tfdynnas as nas

  space = nas.spaces.nasbench201(channels=8, cells=1, image_size=8)
  supernet = nas.Supernet(space)
  supernet.compile(nas.MS(nas.CaLR(0.05)), method=nas.SinglePath())
"""

import importlib

__version__ = "0.1.0"

_MODULES = {"data": "data", "losses": "optimizers.losses", "spaces": "spaces"}
_NAMES = {
    "CaLR": "optimizers", "MS": "optimizers", "FairNAS": "methods", "PADA": "methods",
    "PathImportance": "methods", "Sandwich": "methods", "SinglePath": "methods",
    "Supernet": "supernet", "BayesianOptimization": "search.searches",
    "EvolutionSearch": "search.searches", "ParetoSearch": "search.searches",
    "RandomSearch": "search.searches", "export": "serving.from_data",
    "open_run": "jobs.opened",
}
__all__ = sorted({**_MODULES, **_NAMES})

TYPE_CHECKING = False  # True to a type checker, without an import of `typing`.
if TYPE_CHECKING:
  from tfdynnas import data as data
  from tfdynnas import spaces as spaces
  from tfdynnas.jobs.opened import open_run as open_run
  from tfdynnas.methods import PADA as PADA
  from tfdynnas.methods import FairNAS as FairNAS
  from tfdynnas.methods import PathImportance as PathImportance
  from tfdynnas.methods import Sandwich as Sandwich
  from tfdynnas.methods import SinglePath as SinglePath
  from tfdynnas.optimizers import MS as MS
  from tfdynnas.optimizers import CaLR as CaLR
  from tfdynnas.optimizers import losses as losses
  from tfdynnas.search.searches import BayesianOptimization as BayesianOptimization
  from tfdynnas.search.searches import EvolutionSearch as EvolutionSearch
  from tfdynnas.search.searches import ParetoSearch as ParetoSearch
  from tfdynnas.search.searches import RandomSearch as RandomSearch
  from tfdynnas.serving.from_data import export as export
  from tfdynnas.supernet import Supernet as Supernet
else:
  def __getattr__(name):
    if name in _MODULES:
      return importlib.import_module(f"{__name__}.{_MODULES[name]}")
    if name in _NAMES:
      return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
  return sorted({*globals(), *__all__})
