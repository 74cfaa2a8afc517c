"""The run directory: what was asked for, by whom it may be gone on with, and what came out."""

import dataclasses
import fcntl
import importlib.metadata
import json
import pathlib

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas import json_kind
from tfdynnas import whole_file

PACKAGES = ("tfdynnas", "tensorflow", "keras", "keras-tuner", "tensorflow-datasets", "numpy", "jax")
_CONFIGS = {
    "data": config_lib.DataConfig, "space": config_lib.SpaceConfig,
    "supernet": config_lib.SupernetConfig,
}
_PARTS = {**_CONFIGS, "few_shot": config_lib.FewShotConfig}
_ESTIMATE = dict.fromkeys(("value", "low", "high"), (float, None))
_NETWORK = {"arch": [int], "string": str, "params": int, "macs": int, "accuracy": float}
_RANKED = {"ranked": {"archs": str, "count": int}}
# What the files of a run hold at least, by name, as `json_kind.check` takes it.
_KINDS = {
    "config.json": {
        **dict.fromkeys((*_CONFIGS, "devices"), dict), str: dict,
        "images": {
            "fingerprint": str, "image_shape": [int, int, int], "classes": int, "sizes": {str: int},
        },
        "few_shot?": {"few_shot_decision": int, "few_shot_groups": str, "init_from": str},
    },
    "found.json": {
        **_NETWORK, "trial": int, "trials": int, "front?": [int], "pareto_costs?": [str],
    },
    "method.json": {"steps": int, "groups": int, "split_decision_name": str},
    "recalibrated.json": {"arch": [int], "accuracy": float, "images": int, "seconds": float},
    "result.json": {**_NETWORK, "part": str, "settings?": dict},
    "statistics.json": ({**_RANKED, "tau_b?": None}, {
        **_RANKED, "tau_b": _ESTIMATE, "tau_b_of_costs": {"params": _ESTIMATE, str: _ESTIMATE},
        **dict.fromkeys(("spearman?", "cb?", "cb_rank?", "c3?"), _ESTIMATE), "count": int,
        "interval": {"level": float}, "precision_at": {str: float}, "regret_at": {str: float},
        "definitions?": {str: str},
    }),
}


class RunDir:
  """A folder that holds one supernet and all that was made with it.

  `flags.cfg` runs it again, `config.json` says what it is; `supernet/`, `search/`, `subnet/`,
  `subnet_INDEX/` and `servable/` hold what the jobs made.
  """

  def __init__(self, path, create=False, shared=False, locked=True):
    """Opens the folder and locks it against other processes until this one ends.

    Args:
      path: The folder.
      create: Make it if it is not there.
      shared: Let others work in it that open it as shared too.
      locked: False opens a folder in which others may be at work, to look at what is there: the
        files of the jobs appear whole or not at all.

    Raises:
      InputError: It is not there, cannot be written, or another process works in it.
    """
    self.path = pathlib.Path(path)
    if not create and not (self.path / "config.json").exists():
      raise errors.InputError(
          f"`run_dir` must hold a run: train a supernet there first. Received: {path}"
      )
    self._lock = None
    if not locked:
      return
    try:
      self._lock = lock(self.path, shared)
    except OSError as error:
      raise errors.InputError(
          f"`run_dir` must be writable. Received: {path} ({error.strerror})"
      ) from error
    if self._lock is None:
      raise errors.InputError(
          f"`run_dir` must be free. Received: {path}, in use by another process"
      )

  def close(self):
    """Lets other processes work in the folder."""
    if self._lock is not None:
      self._lock.close()

  def claim(self, config, flags):
    """Writes what the run is, or refuses if the folder is of another one.

    Args:
      config: dict of dicts of JSON values: data, space, supernet and so on.
      flags: Text of the flagfile that runs it again.

    Raises:
      InputError: It is.
    """
    config = json.loads(json.dumps(config))
    with open(self.path / ".claim", "ab") as claim:
      fcntl.flock(claim, fcntl.LOCK_EX)  # Several that share the folder may come at once.
      if not (self.path / "config.json").exists():
        whole_file.write_text(self.path / "flags.cfg", flags)
        self.write_json("config.json", {**config, "versions": versions()})  # Now it is claimed.
    there = self.config()
    for part in {**config, **there}:
      if part != "versions":
        known = {**_unknown_then(part, config.get(part, {})), **there.get(part, {})}
        rule = f"{self.path} must be of the same run; give another run_dir"
        errors.refuse_other(rule, known, config.get(part, {}))

  def config(self):
    """What the run is, as `claim` was told.

    Raises:
      InputError: `config.json` is not there, damaged, or not of this package.
    """
    config, path = self.read_json("config.json"), self.path / "config.json"
    for part, kind in _PARTS.items():
      values = config.get(part, {})
      # One that is not known, as a newer version may write it, fits nothing; older ones lack some.
      unknown = values.keys() - _defaults(kind)
      json_kind.check(path, values, dict.fromkeys(sorted(unknown), ()), part)
      try:
        kind(**values)
      except errors.InputError as error:
        raise errors.InputError(f"{path} must hold a run. Received: {part}, {error}") from error
    return config

  def read_json(self, name):
    """A JSON file of the folder.

    Args:
      name: Path in it.

    Returns:
      What it holds.

    Raises:
      InputError: It is not there, damaged, or holds something else than its job writes.
    """
    path = self.path / name
    return json_kind.read(path, _KINDS[path.name])

  def write_json(self, name, values):
    """Writes a JSON file of the folder, whole.

    Args:
      name: Path in it.
      values: What `read_json` gives again.
    """
    check_folder((self.path / name).parent)
    whole_file.write_text(self.path / name, json.dumps(values, indent=2, allow_nan=False) + "\n")


def _unknown_then(part, now):
  """What a run says that was begun before some of its settings were there: that they are default.

  Of its images, what was not recorded then is what is recorded now: the fingerprint tells.
  """
  if part == "images":
    return now
  return _defaults(_CONFIGS[part]) if part in _CONFIGS else {}


def _defaults(kind):
  """The defaults of a config class, as JSON has them."""
  return json.loads(json.dumps({f.name: f.default for f in dataclasses.fields(kind)}))


def check_folder(path):
  """Refuses a path that cannot become a folder, since it or one above it is something else.

  Raises:
    InputError: It is.
  """
  there = next(place for place in (path, *path.parents) if place.exists())
  if not there.is_dir():
    raise errors.InputError(f"{there} must be a folder. Received: a file")


def lock(path, shared=False):
  """Locks a folder against other processes until the file is closed or this process ends.

  Args:
    path: pathlib.Path of the folder; made if it is not there.
    shared: Whether others may lock it as shared too.

  Returns:
    The open file that holds the lock; None if another process has it.
  """
  path.mkdir(parents=True, exist_ok=True)
  file = open(path / ".lock", "ab")
  try:
    fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
  except OSError:
    file.close()
    return None
  return file


def versions():
  """dict, package -> installed version, of those that are installed."""
  found = {}
  for package in PACKAGES:
    try:
      found[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
      continue
  return found
