"""The run directory: its settings, its lock and its files."""

import dataclasses
import fcntl
import importlib.metadata
import json
import os
import pathlib
import shutil

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas.files import atomic
from tfdynnas.files import identity as identity_lib
from tfdynnas.files import json_schema
from tfdynnas.files import text

PACKAGES = ("tfdynnas", "tensorflow", "keras", "keras-tuner", "tensorflow-datasets", "numpy", "jax")
_CONFIGS = {
    "data": config_lib.DataConfig, "space": config_lib.SpaceConfig,
    "supernet": config_lib.SupernetConfig,
}
_PARTS = {**_CONFIGS, "few_shot": config_lib.FewShotConfig}
_COUNT, _SHARE = json_schema.COUNT, json_schema.SHARE
_SOME = json_schema.Number(1, whole=True)
# How an earlier version decoded image files; its runs still do.
OLDER = {"orientation": "stored", "background": "none", "max_pixels": 178_956_970}
# Files of a run without any result yet, beside TensorBoard's events.
_OF_A_START = {".claim", ".lock", "config.json", "data.txt", "flags.cfg", "method.json"}
_ESTIMATE = dict.fromkeys(("value", "low", "high"), (float, None))
_CORRELATION = dict.fromkeys(("value", "low", "high"), (json_schema.CORRELATION, None))
_CLASSES = {
    "balanced_accuracy?": (_SHARE, None), "majority_accuracy?": (_SHARE, None),
    "by_class?": {"right": [_COUNT], "images": [_COUNT]},
}
_NETWORK = {
    "arch": [_COUNT], "string": str, "params": _COUNT, "macs": _COUNT, "accuracy": _SHARE,
    **_CLASSES
}
_TRAINED = {
    **_NETWORK, "part": str, "settings?": dict, "connected?": bool, "class_names?": [str],
}
_RANKED = {"ranked": {"archs": str, "count": _COUNT}}
# The least that each file of a run holds: name -> schema, as `json_schema.check` takes it.
_KINDS = {
    "baselines.json": {
        "found": _TRAINED, "randoms": [_TRAINED, ...], "largest": (None, _TRAINED)
    },
    "config.json": {
        **dict.fromkeys((*_CONFIGS, "devices"), dict), str: dict,
        "images": {
            "fingerprint": str, "image_shape": [_SOME, _SOME, _SOME], "classes": _SOME,
            "sizes": {str: _COUNT},
        },
        "few_shot?": {"few_shot_decision": _COUNT, "few_shot_groups": str, "init_from": str},
    },
    "found.json": {
        **_NETWORK, "objective?": str, "trial": _COUNT, "trials": _SOME, "front?": [_COUNT],
        "pareto_costs?": [str],
    },
    "method.json": {"steps": _COUNT, "groups": _SOME, "split_decision_name": str},
    "recalibrated.json": {
        "arch": [_COUNT], "accuracy": _SHARE, "images": _COUNT, "seconds": json_schema.POSITIVE,
        **_CLASSES,
    },
    "result.json": _TRAINED, "search.json": dict,
    "statistics.json": ({**_RANKED, "tau_b?": None}, {
        **_RANKED, "tau_b": _CORRELATION, "spearman?": _CORRELATION,
        "tau_b_of_costs": {"params": _CORRELATION, str: _CORRELATION},
        **dict.fromkeys(("tau_b_within?", "tau_b_with_costs?", "tau_b_of_mean_rank?"),
                        {str: _CORRELATION}), "within?": {str: str},
        **dict.fromkeys(("cb?", "cb_rank?", "c3?"), _ESTIMATE), "count": _COUNT,
        "interval": {"level": _SHARE}, "precision_at": {str: _SHARE}, "regret_at": {str: float},
        "definitions?": {str: str},
    }),
}


class RunDir:
  """A folder that holds one supernet and everything made with it.

  `flags.cfg` repeats the run, `config.json` has its settings; `supernet/`, `search/`, `subnet/`,
  `subnet_INDEX/` and `servable/` hold the results of the jobs.
  """

  def __init__(self, path, create=False, shared=False, locked=True):
    """Opens the folder and locks it against other processes until this one ends.

    A new folder is made and locked when it is claimed: a refused command leaves nothing.

    Args:
      path: The folder.
      create: Accept a folder that does not exist yet.
      shared: Allow other processes that open it as shared too.
      locked: False opens the folder without a lock, to read it while others may be working there:
        the files of the jobs appear whole or not at all.

    Raises:
      InputError: The folder does not exist, cannot be written, or another process has the lock.
    """
    wrong = text.path_problem(path) or text.problem(os.fspath(path))
    if wrong:
      raise errors.InputError(f"`run_dir` must be {wrong}. Received: {text.shown(path)}")
    self.path = pathlib.Path(path)
    self._lock, self._shared, self._locked = None, shared, locked
    if self.claimed:
      self._take()
    elif not create:
      raise errors.InputError(
          f"`run_dir` must hold a run: train a supernet there first. Received: {path}"
      )
    else:
      errors.refuse_pattern("run_dir", path)
      _check_writable(self.path)

  def _take(self):
    """Locks the folder, unless it is locked already or is opened without a lock."""
    if self._lock is not None or not self._locked:
      return
    try:
      self._lock = lock(self.path, self._shared)
    except OSError as error:
      raise errors.InputError(
          f"`run_dir` must be writable. Received: {self.path} ({error.strerror})"
      ) from error
    if self._lock is None:
      raise errors.InputError(
          f"`run_dir` must be free. Received: {self.path}, in use by another process"
      )

  def close(self):
    """Releases the lock."""
    if self._lock is not None:
      self._lock.close()
      self._lock = None

  @property
  def claimed(self):
    """Whether the folder holds a claimed run."""
    return (self.path / "config.json").exists()

  @property
  def begun(self):
    """Whether the folder holds a run with more files than its claim."""
    return self.claimed and any(
        path.name not in _OF_A_START and "events" not in path.relative_to(self.path).parts
        for path in self.path.rglob("*") if not path.is_dir())

  def settled(self, config):
    """The config of a run's images; a run begun by an earlier version keeps its decoding.

    Args:
      config: config.DataConfig, as given.

    Returns:
      config.DataConfig; fields at their default may be replaced by the run's.
    """
    if not self.begun:
      return config
    then = self.read_json("config.json")["data"]
    changed = {name: value for name, value in OLDER.items()
               if name not in then and getattr(config, name) == _defaults(type(config))[name]}
    return dataclasses.replace(config, **changed)

  def claim(self, config, flags):
    """Writes the settings of the run, or refuses if the folder holds another run.

    A run without any result is replaced: its settings may have been impossible, such as a batch
    too large for the memory.

    Args:
      config: dict of dicts of JSON values: data, space, supernet and so on.
      flags: Text of a flagfile that repeats the run.

    Raises:
      InputError: The folder holds another run.
    """
    config = json.loads(json.dumps(config))
    check_folder(self.path / "supernet")
    self._take()
    with open(self.path / ".claim", "ab") as claim:
      fcntl.flock(claim, fcntl.LOCK_EX)  # Processes that share the folder may claim it at once.
      if not self.claimed:
        self._write_claim(config, flags)
      there = self.config()
      try:
        self._check_same(config, there)
      except errors.InputError:
        if self.begun or not self._alone():
          raise
        shutil.rmtree(self.path / "supernet", ignore_errors=True)
        self._write_claim(config, flags)

  def _write_claim(self, config, flags):
    atomic.write_text(self.path / "flags.cfg", flags)
    self.write_json("config.json", {**config, "versions": versions()})  # Now it is claimed.

  def _check_same(self, config, there):
    """Refuses a config that differs from that of the run in the folder."""
    for part in {**config, **there}:
      if part != "versions":
        known = {**_unknown_then(part, config.get(part, {})), **there.get(part, {})}
        rule = f"{self.path} must be of the same run; give another run_dir"
        identity_lib.refuse_other(rule, known, config.get(part, {}))

  def _alone(self):
    """Whether no other process works in the folder; this one's lock stays as it was."""
    if self._lock is None or not self._shared:
      return self._lock is not None
    try:
      fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
      fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
      return False
    return True

  def config(self):
    """The settings of the run, as given to `claim`.

    Raises:
      InputError: `config.json` is missing, damaged, or not of this package.
    """
    config, path = self.read_json("config.json"), self.path / "config.json"
    _renew(config)
    for part, kind in _PARTS.items():
      values = config.get(part, {})
      # An unknown field, as of a newer version, fits no schema; an older version lacks some.
      unknown = values.keys() - _defaults(kind)
      json_schema.check(path, values, dict.fromkeys(sorted(unknown), ()), part)
      try:
        made = kind.from_dict(values)
      except errors.InputError as error:
        raise errors.InputError(f"{path} must hold a run. Received: {part}, {error}") from error
      values |= {name: value for name, value in made.as_dict().items() if name in values}
    return config

  def read_json(self, name):
    """A JSON file of the folder.

    Args:
      name: Path in it.

    Returns:
      Its content.

    Raises:
      InputError: The file is missing, damaged, or not of the form that its job writes.
    """
    path = self.path / name
    return json_schema.read(path, _KINDS[path.name])

  def read_arch(self, name, space):
    """The arch of a JSON file of the folder.

    Args:
      name: Path in it.
      space: spaces.Space of the run.

    Returns:
      Tuple of ints.

    Raises:
      InputError: The file is missing or damaged, or its arch is not of the space.
    """
    arch = self.read_json(name)["arch"]
    try:
      return space.validate(arch)
    except errors.InputError as error:
      raise errors.InputError(
          f"{self.path / name} must hold an arch. Received: {str(error):.300}") from error

  def write_json(self, name, values):
    """Writes a JSON file of the folder, whole.

    Args:
      name: Path in it.
      values: JSON-able values, as `read_json` returns them.
    """
    check_folder((self.path / name).parent)
    atomic.write_text(self.path / name, json.dumps(values, indent=2, allow_nan=False) + "\n")


def _renew(config):
  """Converts the config of an earlier version to this one's form, in place.

  `valid_share` was recorded as 0.5 then if none was given, even for images whose split ignores it;
  the record of skipped files does not belong to the identity of the images.
  """
  data, images = config["data"], config["images"]
  for name, value in OLDER.items():
    data.setdefault(name, value)
  if "test_share" not in data and images.get("valid_share") in (None, 0.5):
    data.pop("valid_share", None)
  images.pop("skipped", None)


def _unknown_then(part, now):
  """The settings that a run of an earlier version did not record: their defaults.

  What it did not record of its images is taken from now: the fingerprint decides.
  """
  if part == "images":
    return now
  return _defaults(_CONFIGS[part]) if part in _CONFIGS else {}


def _defaults(kind):
  """The fields that a run records of a config at its defaults, as JSON values."""
  return json.loads(json.dumps(kind.defaults()))


def _check_writable(path):
  """Refuses, before any work, a folder that cannot be made or written."""
  there = next(place for place in (path, *path.parents) if place.exists())
  if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
    raise errors.InputError(f"`run_dir` must be writable. Received: {path}, in {there}")


def check_folder(path):
  """Refuses a path that cannot become a folder, since it or a parent is something else.

  Raises:
    InputError: The path or a parent is not a folder.
  """
  there = next(place for place in (path, *path.parents) if place.exists())
  if not there.is_dir():
    raise errors.InputError(f"{there} must be a folder. Received: a file")


def lock(path, shared=False):
  """Locks a folder against other processes until the file is closed or this process ends.

  Args:
    path: pathlib.Path of the folder; made if missing.
    shared: Whether other processes may lock it as shared too.

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
  """dict, package -> version, of the installed packages."""
  found = {}
  for package in PACKAGES:
    try:
      found[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
      continue
  return found
