"""README cannot rot: its Python runs, and the paths and flags that it names are there."""

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from tests import source_rules as rules

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")
# Flags of other programs that README calls: docker, Bazel, absl, tar, pip's --no-deps.
FOREIGN = {"rm", "test_tag_filters", "help", "flagfile", "extract", "no"}
# As for all tests (conftest.py): the blocks run in a process of their own.
QUICK = "from tfdynnas.training import backend\nbackend.shorten_first_step()"


def _blocks(language):
  return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def _paths():
  """Everything in README that looks like a path of the checkout."""
  folders = r"tools|flags|docs|tests|tfdynnas"
  return sorted(set(re.findall(rf"(?<![\w./])(?:{folders})/[\w./]*\w", TEXT)))


def test_python_runs_in_order(tmp_path):
  blocks = _blocks("python")
  assert len(blocks) >= 5
  (tmp_path / "readme.py").write_text("\n".join([QUICK, *blocks]), "utf-8")
  result = subprocess.run([sys.executable, "readme.py"], cwd=tmp_path, capture_output=True,
                          text=True, env=_environment())
  assert result.returncode == 0, result.stderr
  assert (tmp_path / "servables" / "mine" / "1" / "saved_model.pb").exists()
  assert (tmp_path / "runs" / "own" / "checkpoint.npz").exists()


def _environment():
  path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
  return os.environ | {"PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}


@pytest.mark.parametrize("path", _paths())
def test_path_is_there(path):
  assert (ROOT / path).exists()


def test_readme_names_every_preset_and_tool():
  presets = {f"flags/{path.name}" for path in (ROOT / "flags").glob("*.cfg")}
  assert presets <= set(_paths())
  for command in re.findall(r"^\s+(tfdynnas-[\w-]+) =", (ROOT / "setup.cfg").read_text(), re.M):
    tool = command.removeprefix("tfdynnas-").replace("-", "_")
    assert f"tools/{tool}.py" in _paths()


def test_flags_are_flags_of_a_tool():
  named = {name.removeprefix("no") if name == "noflip" else name
           for name in re.findall(r"(?<![\w-])--(\w+)", TEXT)} - FOREIGN
  assert len(named) > 10
  tools = {re.search(r"(\w+)\.py", path).group(1) for path in _paths()
           if re.fullmatch(r"tools/\w+\.py", path)}
  known = set()
  for tool in tools:
    help_text = subprocess.run([sys.executable, "-m", f"tfdynnas.tools.{tool}", "--helpfull"],
                               cwd=ROOT, capture_output=True, text=True).stdout
    known |= set(re.findall(r"^\s+--(?:\[no\])?(\w+)", help_text, re.MULTILINE))
  assert not named - known


PLACES = {"pack": ["data_file"], "measure_latency": ["run_dir", "latency_table"]}


def _tool_calls():
  """(tool, its arguments) of every call of a launcher in README."""
  shell = "\n".join(_blocks("sh")).replace("\\\n", " ")
  for name, value in re.findall(r'^(\w+)="(.*)"$', shell, re.MULTILINE):
    shell = shell.replace(f"${name}", value)
  calls = re.findall(r"^tools/(\w+)\.py (.*)$", shell, re.MULTILINE)
  return [(tool, shlex.split(arguments, comments=True)) for tool, arguments in calls]


def test_every_call_of_a_tool_has_flags_that_it_takes():
  calls = _tool_calls()
  assert len(calls) >= 6
  for tool, arguments in calls:  # Without a place to write to, a tool stops when flags are checked.
    places = PLACES.get(tool, ["run_dir"])
    nowhere = [f"--{place}=" for place in places]
    result = subprocess.run(
      [sys.executable, "-m", f"tfdynnas.tools.{tool}", *arguments, *nowhere], cwd=ROOT,
      capture_output=True, text=True)
    refused = re.search(f"Give (--|`){places[0]}", result.stderr)
    assert result.returncode == 2 and refused, (tool, result.stderr)


def test_pictures_are_small():
  for path in re.findall(r"!\[[^\]]*\]\(([^)]*)\)", TEXT):
    assert 0 < (ROOT / path).stat().st_size < 300_000


def test_lines_outside_of_tables_and_blocks_are_short():
  prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
  long = [line for line in prose.splitlines()
          if len(line) > rules.MAX_LINE_LENGTH and not line.startswith("|")]
  assert not long
