"""A run as objects: what the tools or `Supernet.fit` left in its directory."""

import functools
import os
import pathlib
from typing import Any

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import setup


def open_run(path: str | os.PathLike) -> "Run":
  """Opens a run; each of its objects is made on first use.

  Args:
    path: Run directory that a tool or `Supernet.fit(run_dir=...)` made.

  Returns:
    Run.

  Raises:
    InputError: There is no run, or its settings are damaged.

  Example:
    run = nas.open_run("runs/digits")  # So far `run.supernet` has been trained.
    print(run.space.size, run.data.class_names, run.config["supernet"])
  """
  return Run(path)


class Run:
  """A run; other processes may be working in it.

  Attributes:
    path: pathlib.Path.
  """

  def __init__(self, path: str | os.PathLike):
    self._run_dir = run_directory.RunDir(path, locked=False)
    self.path, self._stored = self._run_dir.path, self._run_dir.config()

  @property
  def config(self) -> dict[str, Any]:
    """dict, the settings of the run: data, space, supernet and so on."""
    return self._stored

  @functools.cached_property
  def space(self) -> Any:
    """spaces.Space."""
    return setup.stored_space(self._stored)

  @functools.cached_property
  def data(self) -> Any:
    """data.Data; an InputError if the images have changed."""
    return setup.reload(self._run_dir)[1]

  @functools.cached_property
  def supernet(self) -> Any:
    """supernet.Supernet, or FewShot of a run in parts, trained to its end, not compiled."""
    from tfdynnas.jobs import trained

    config = config_lib.SupernetConfig.from_dict(self._stored["supernet"])
    return trained.load_supernet(self._run_dir, config, self.space)

  @property
  def search(self) -> Any:
    """EvolutionSearch or ParetoSearch, with its trials so far; its `search` resumes."""
    from tfdynnas.jobs import search

    return search.open_search(self._run_dir)

  @property
  def found(self) -> dict[str, Any]:
    """dict, the result of the search, as in search/found.json: arch, string, accuracy, costs."""
    return self._read("search/found.json", "search it first")

  @property
  def network(self) -> Any:
    """keras.Model, the network found, as it was trained on its own."""
    from tfdynnas.jobs import export

    self._read("subnet/result.json", "train the network first, with tools/train_subnet.py")
    return export.load_model(self.path / "subnet" / "model.keras")

  @property
  def report(self) -> pathlib.Path:
    """pathlib.Path of the page that tools/report.py writes; writes it anew."""
    from tfdynnas.jobs import report

    return report.run_report(self._run_dir)

  def _read(self, name, advice):
    if not (self.path / name).exists():
      raise errors.InputError(f"{self.path} must hold {name}: {advice}. Received: none")
    return self._run_dir.read_json(name)

  def __repr__(self):
    return f"Run({str(self.path)!r})"
