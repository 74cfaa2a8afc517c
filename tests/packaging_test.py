"""The wheel: what is inside, what it asks for, and that its commands start from it alone."""

import configparser
import email
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from packaging.requirements import Requirement

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.egg-info", "BUILD", "*.sh")
COMMANDS = ["tfdynnas-train-supernet", "tfdynnas-search", "tfdynnas-rank", "tfdynnas-make-table",
            "tfdynnas-pack", "tfdynnas-report", "tfdynnas-train-few-shot", "tfdynnas-split",
            "tfdynnas-train-subnet", "tfdynnas-export", "tfdynnas-nas", "tfdynnas-experiment",
            "tfdynnas-benchmark", "tfdynnas-measure-latency", "tfdynnas-make-records"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
  """A copy to build from: setuptools writes into its source, and ships what an old build left."""
  source = tmp_path_factory.mktemp("source")
  for folder in ("tfdynnas", "tools", "flags"):
    shutil.copytree(ROOT / folder, source / folder, ignore=NOT_SHIPPED)
  for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md"):
    if (ROOT / name).exists():
      shutil.copy(ROOT / name, source)
  return source


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
  folder = tmp_path_factory.mktemp("wheel")
  _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
  (file,) = folder.glob("tfdynnas-*.whl")
  return zipfile.ZipFile(file)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
  """A folder that holds the installed wheel and nothing else."""
  folder = tmp_path_factory.mktemp("installed")
  _pip("install", "--no-deps", "--no-index", "--target", folder, wheel.filename)
  return folder


def _pip(*args):
  result = subprocess.run([sys.executable, "-m", "pip", *map(str, args)], capture_output=True,
                          text=True)
  assert result.returncode == 0, result.stdout + result.stderr


def _metadata(wheel, name):
  (path,) = [path for path in wheel.namelist() if path.endswith(f".dist-info/{name}")]
  return wheel.read(path).decode("utf-8")


def test_wheel_holds_the_package_the_tools_and_the_presets(wheel, source):
  expected = set()
  for folder, inside in [("tfdynnas", ""), ("tools", "tfdynnas/"), ("flags", "tfdynnas/")]:
    files = [file for file in (source / folder).rglob("*") if file.is_file()]
    assert files
    expected |= {inside + file.relative_to(source).as_posix() for file in files}
  assert {path for path in wheel.namelist() if ".dist-info/" not in path} == expected
  assert any(path.endswith("LICENSE") for path in wheel.namelist())


def test_metadata_has_the_bounds(wheel):
  metadata = email.message_from_string(_metadata(wheel, "METADATA"))
  needs = [Requirement(text) for text in metadata.get_all("Requires-Dist")]
  assert {need.name.replace("_", "-"): str(need.specifier)
          for need in needs if not need.marker} == {
    "tensorflow": "<2.23,>=2.21",
    "keras": "<4,>=3.15",
    "keras-tuner": "<1.5,>=1.4.8",
    "tensorflow-datasets": ">=4.9.10",
    "importlib-resources": "",
    "tensorboard": ">=2.20",
    "absl-py": ">=2.1",
    "numpy": ">=2.0",
    "scipy": ">=1.13",
    "jinja2": ">=3.1",
    "rich": ">=13",
    "pillow": ">=10",
  }
  assert metadata["Requires-Python"] == ">=3.11"
  assert metadata["License"] == "Apache-2.0"
  extras = set(metadata.get_all("Provides-Extra"))
  assert extras == {"digits", "plots", "litert", "onnx", "serving", "bayesian", "jax", "nats-bench",
                    "docs", "coverage", "mutants", "test"}


def test_entry_points_are_the_commands(wheel):
  entries = configparser.ConfigParser()
  entries.read_string(_metadata(wheel, "entry_points.txt"))
  assert dict(entries["console_scripts"]) == {
    command: f"tfdynnas.tools.{command.removeprefix('tfdynnas-').replace('-', '_')}:run"
    for command in COMMANDS
  }


@pytest.mark.parametrize("command", COMMANDS)
def test_command_lists_its_flags(command, installed):
  result = subprocess.run([sys.executable, installed / "bin" / command, "--help"], cwd=installed,
                          env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True,
                          text=True)
  output = result.stdout + result.stderr
  assert "Traceback" not in output, output
  assert re.search(r"^\s+--\S", output, re.MULTILINE), output


def _setup_env(root, path):
  """Runs setup_env.sh of a checkout with only the folder `path` before the system's commands."""
  env = {"PATH": f"{path}:/usr/bin:/bin", "HOME": str(root)}
  return subprocess.run(["bash", "-c", f"source {root}/tools/setup_env.sh && setup_env test"],
                        env=env, capture_output=True, text=True)


def _executable(path, text):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text("#!/bin/bash\n" + text)
  path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path):
  """A folder with what setup_env.sh reads, and an environment whose python only takes notes."""
  shutil.copytree(ROOT / "tools", tmp_path / "tools")
  for name in ("setup.cfg", "pyproject.toml"):
    shutil.copy(ROOT / name, tmp_path)
  _executable(tmp_path / ".venv/bin/python", f"echo \"$@\" >> {tmp_path}/calls")
  (tmp_path / ".venv/bin/activate").write_text(f"PATH={tmp_path}/.venv/bin:$PATH\n")
  return tmp_path


def _installs(checkout):
  return (checkout / "calls").read_text().count("pip install --editable")


def test_environment_is_installed_again_only_when_requirements_change(checkout):
  for expected in (1, 1):
    assert _setup_env(checkout, "/bin").returncode == 0
    assert _installs(checkout) == expected
  with open(checkout / "setup.cfg", "a", encoding="utf-8") as file:
    file.write("# changed\n")
  assert _setup_env(checkout, "/bin").returncode == 0
  assert _installs(checkout) == 2


def test_failed_install_is_shown_and_tried_again(checkout):
  _executable(checkout / ".venv/bin/python", "[[ $2 != pip ]] || { echo no such package; exit 1; }")
  for _ in range(2):
    result = _setup_env(checkout, "/bin")
    assert result.returncode != 0
    assert "no such package" in result.stderr


def test_moved_environment_is_refused(checkout):
  (checkout / ".venv/bin/activate").write_text("PATH=/nowhere:$PATH\n")
  result = _setup_env(checkout, "/bin")
  assert result.returncode != 0
  assert "was moved" in result.stderr
  assert not (checkout / "calls").exists()


def test_old_python_is_refused_in_one_line(checkout):
  shutil.rmtree(checkout / ".venv")
  _executable(checkout / "old/python3", "[[ $1 == --version ]] && echo Python 3.9.2; exit 1")
  result = _setup_env(checkout, checkout / "old")
  assert result.returncode != 0
  assert result.stderr == "tfdynnas needs Python 3.11 or newer. Found: Python 3.9.2\n"
  assert not (checkout / ".venv").exists()
