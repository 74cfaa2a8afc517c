"""The run directory: what was asked for, by whom it may be gone on with, and what came out."""

import fcntl
import importlib.metadata
import json
import pathlib

from tfdynnas import errors
from tfdynnas import whole_file
from tfdynnas.training import loop

PACKAGES = ("tfdynnas", "tensorflow", "keras", "keras-tuner", "tensorflow-datasets", "numpy", "jax")


class RunDir:
  """A folder that holds one supernet and all that was made with it.

  `flags.cfg` runs it again, `config.json` says what it is; `supernet/`, `search/`, `subnet/` and
  `servable/` hold what the jobs made.
  """

  def __init__(self, path, create=False):
    """Opens the folder and locks it against other processes until this one ends.

    Args:
      path: The folder.
      create: Make it if it is not there.

    Raises:
      InputError: It is not there, cannot be written, or another process works in it.
    """
    self.path = pathlib.Path(path)
    if not create and not (self.path / "config.json").exists():
      raise errors.InputError(
          f"`run_dir` must hold a run: train a supernet there first. Received: {path}"
      )
    try:
      self.path.mkdir(parents=True, exist_ok=True)
      self._lock = open(self.path / ".lock", "ab")
    except OSError as error:
      raise errors.InputError(
          f"`run_dir` must be writable. Received: {path} ({error.strerror})"
      ) from error
    try:
      fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
      raise errors.InputError(
          f"`run_dir` must be free. Received: {path}, in use by another process"
      ) from error

  def close(self):
    """Lets other processes work in the folder."""
    self._lock.close()

  def claim(self, config, flags):
    """Writes what the run is, or refuses if the folder is of another one.

    Args:
      config: dict of dicts of JSON values: data, space, supernet and so on.
      flags: Text of the flagfile that runs it again.
    """
    path = self.path / "config.json"
    config = json.loads(json.dumps(config))
    if path.exists():
      there = self.config()
      for part, values in config.items():
        loop.refuse_other(self.path, there.get(part, {}), values)
      return
    whole_file.write_text(self.path / "flags.cfg", flags)
    self.write_json("config.json", {**config, "versions": versions()})  # Now it is claimed.

  def config(self):
    """What the run is, as `claim` was told.

    Raises:
      InputError: `config.json` is not there, damaged, or not of this package.
    """
    config = self.read_json("config.json")
    parts = ("data", "images", "space", "supernet", "devices")
    if not isinstance(config, dict) or not all(isinstance(config.get(p), dict) for p in parts):
      raise errors.InputError(
          f"{self.path / 'config.json'} must hold {', '.join(parts)}. Received: another JSON"
      )
    return config

  def read_json(self, name):
    """A JSON file of the folder.

    Raises:
      InputError: It is not there or damaged.
    """
    try:
      return json.loads((self.path / name).read_text())
    except (OSError, ValueError) as error:
      raise errors.InputError(
          f"{self.path / name} must be whole JSON. Received: {error}"
      ) from error

  def write_json(self, name, values):
    """Writes a JSON file of the folder, whole."""
    whole_file.write_text(self.path / name, json.dumps(values, indent=2, allow_nan=False) + "\n")


def versions():
  """dict, package -> installed version, of those that are installed."""
  found = {}
  for package in PACKAGES:
    try:
      found[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
      continue
  return found
