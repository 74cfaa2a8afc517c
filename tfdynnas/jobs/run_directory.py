"""The run directory: what was asked for, by whom it may be gone on with, and what came out."""

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
# How a version before decoded image files, which its runs go on with.
OLDER = {"orientation": "stored", "background": "none", "max_pixels": 178_956_970}
# What a start leaves before there is anything to keep, beside TensorBoard's events.
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
# What the files of a run hold at least, by name, as `json_schema.check` takes it.
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
        **dict.fromkeys(("cb?", "cb_rank?", "c3?"), _ESTIMATE), "count": _COUNT,
        "interval": {"level": _SHARE}, "precision_at": {str: _SHARE}, "regret_at": {str: float},
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

    A new one is made and locked when it is claimed: a command that is refused leaves nothing.

    Args:
      path: The folder.
      create: Make it if it is not there.
      shared: Let others work in it that open it as shared too.
      locked: False opens a folder in which others may be at work, to look at what is there: the
        files of the jobs appear whole or not at all.

    Raises:
      InputError: It is not there, cannot be written, or another process works in it.
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
    """Locks the folder, unless that was done or is not asked for."""
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
    """Lets other processes work in the folder."""
    if self._lock is not None:
      self._lock.close()
      self._lock = None

  @property
  def claimed(self):
    """Whether the folder holds a run that was claimed."""
    return (self.path / "config.json").exists()

  @property
  def begun(self):
    """Whether the folder holds a run of which there is more than its claim."""
    return self.claimed and any(
        path.name not in _OF_A_START and "events" not in path.relative_to(self.path).parts
        for path in self.path.rglob("*") if not path.is_dir())

  def settled(self, config):
    """The images of a run, as it decodes them if it was begun by a version before.

    Args:
      config: config.DataConfig, as it was asked for.

    Returns:
      config.DataConfig; what was not asked for is as in the run.
    """
    if not self.begun:
      return config
    then = self.read_json("config.json")["data"]
    changed = {name: value for name, value in OLDER.items()
               if name not in then and getattr(config, name) == _defaults(type(config))[name]}
    return dataclasses.replace(config, **changed)

  def claim(self, config, flags):
    """Writes what the run is, or refuses if the folder is of another one.

    One of which nothing is there yet gives way: it may have been of settings that cannot be, such
    as a batch that is too large for the memory.

    Args:
      config: dict of dicts of JSON values: data, space, supernet and so on.
      flags: Text of the flagfile that runs it again.

    Raises:
      InputError: It is.
    """
    config = json.loads(json.dumps(config))
    check_folder(self.path / "supernet")
    self._take()
    with open(self.path / ".claim", "ab") as claim:
      fcntl.flock(claim, fcntl.LOCK_EX)  # Several that share the folder may come at once.
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
    """Refuses a config that differs from that of the run that is there."""
    for part in {**config, **there}:
      if part != "versions":
        known = {**_unknown_then(part, config.get(part, {})), **there.get(part, {})}
        rule = f"{self.path} must be of the same run; give another run_dir"
        identity_lib.refuse_other(rule, known, config.get(part, {}))

  def _alone(self):
    """Whether no other process works in the folder, which is locked as before then."""
    if self._lock is None or not self._shared:
      return self._lock is not None
    try:
      fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
      fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
      return False
    return True

  def config(self):
    """What the run is, as `claim` was told.

    Raises:
      InputError: `config.json` is not there, damaged, or not of this package.
    """
    config, path = self.read_json("config.json"), self.path / "config.json"
    _renew(config)
    for part, kind in _PARTS.items():
      values = config.get(part, {})
      # One that is not known, as a newer version may write it, fits nothing; older ones lack some.
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
      What it holds.

    Raises:
      InputError: It is not there, damaged, or holds something else than its job writes.
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
      InputError: As of `read_json`; or it is no arch of the space.
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
      values: What `read_json` gives again.
    """
    check_folder((self.path / name).parent)
    atomic.write_text(self.path / name, json.dumps(values, indent=2, allow_nan=False) + "\n")


def _renew(config):
  """Brings what a version before wrote to the form of this one.

  `valid_share` was 0.5 then where none was given, also for images in whose split it had no say;
  what was passed over beside them is not what the images are.
  """
  data, images = config["data"], config["images"]
  for name, value in OLDER.items():
    data.setdefault(name, value)
  if "test_share" not in data and images.get("valid_share") in (None, 0.5):
    data.pop("valid_share", None)
  images.pop("skipped", None)


def _unknown_then(part, now):
  """What a run says that was begun before some of its settings were there: that they are default.

  Of its images, what was not recorded then is what is recorded now: the fingerprint tells.
  """
  if part == "images":
    return now
  return _defaults(_CONFIGS[part]) if part in _CONFIGS else {}


def _defaults(kind):
  """What a run records of a config that is not given, as JSON has it."""
  return json.loads(json.dumps(kind.defaults()))


def _check_writable(path):
  """Refuses, before any work, a folder that cannot be made or written."""
  there = next(place for place in (path, *path.parents) if place.exists())
  if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
    raise errors.InputError(f"`run_dir` must be writable. Received: {path}, in {there}")


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
