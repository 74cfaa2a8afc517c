"""The run directory and the jobs that add to it, which the tools call without flags.

The names below are imported on first use: opening a run needs no back end.
"""

import importlib

_NAMES = {
    "RunDir": "run_directory", "cost_ranges": "search", "export_subnet": "export",
    "find_servable": "export", "later_jobs": "chain", "open_run": "opened", "run_rank": "rank",
    "run_report": "report", "run_search": "search", "run_split": "split", "run_worker": "search",
    "signal_note": "subnet", "train_baselines": "baselines", "train_few_shot": "few_shot",
    "train_subnet": "subnet", "train_supernet": "supernet",
}
__all__ = sorted(_NAMES)


def __getattr__(name):
  if name in _NAMES:
    return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
  raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
