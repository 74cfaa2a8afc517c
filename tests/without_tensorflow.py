"""A process in which TensorFlow and all that comes with it are not installed, for tests of JAX."""

import os
import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
# What is there: Keras and JAX with what these need, Pillow, Jinja2, and matplotlib with these.
PACKAGES = (
    "numpy", "keras", "jax", "jaxlib", "absl", "optree", "namex", "ml_dtypes", "h5py", "rich",
    "pygments", "markdown_it", "mdurl", "scipy", "opt_einsum", "packaging", "typing_extensions",
    "PIL", "matplotlib", "mpl_toolkits", "contourpy", "cycler", "dateutil", "fontTools",
    "kiwisolver", "pyparsing", "six", "jinja2", "markupsafe",
)


class Without:
  """Runs Python in such a process: a folder of links stands for all that is installed."""

  def __init__(self, folder):
    """Makes the links; the package lies there as if it were installed, with its tools."""
    self._folder = folder / "installed"
    installed = pathlib.Path(np.__file__).parents[1]
    self._link(ROOT / "tfdynnas", self._folder / "tfdynnas", "*")
    for name in ("tools", "flags"):
      self._link(ROOT, self._folder / "tfdynnas", name)
    for name in PACKAGES:
      for pattern in (name, f"{name}.py", f"{name}.libs", f"{name}-*.dist-info"):
        self._link(installed, self._folder, pattern)
    self._link(installed, self._folder, "pillow.libs")
    self.environment = {
        **os.environ, "PYTHONPATH": str(self._folder), "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu", "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",  # Compiled once for all processes.
    }

  def _link(self, source, target, pattern):
    target.mkdir(parents=True, exist_ok=True)
    for path in source.glob(pattern):
      (target / path.name).symlink_to(path)

  def command(self, *arguments):
    """The command line of a Python that sees nothing else (-S: no site-packages)."""
    return [sys.executable, "-S", *map(str, arguments)]

  def run(self, *arguments, **changed):
    """Runs it to its end: subprocess.CompletedProcess with texts; `changed` is environment."""
    return subprocess.run(self.command(*arguments), env={**self.environment, **changed},
                          capture_output=True, text=True, check=False)

  def tool(self, name, *flags, **changed):
    """Runs a tool that must succeed; returns what it printed."""
    result = self.run(ROOT / "tools" / f"{name}.py", *flags, **changed)
    assert result.returncode == 0, f"{name} {flags}: {result.stderr}"
    return result.stdout
