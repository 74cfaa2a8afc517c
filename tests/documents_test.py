"""Documents cannot rot: their Python runs, the paths and flags that they name are there, and they
build without a broken link or a missing name."""

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from tests import source_rules as rules

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
}
TEXT = "\n".join(PAGES.values())
# Flags of other programs: pytest, docker, Bazel, absl, tar, mkdocs, pip's --no-deps.
FOREIGN = {"rm", "fast", "mount", "test_tag_filters", "help", "flagfile", "extract", "no", "site"}
# As for all tests (conftest.py): the blocks run in a process of their own.
QUICK = "from tfdynnas.backend import current\ncurrent.shorten_first_step()\n"

# What a page's Python is run with in the place of its own numbers: fewer epochs and trials.
SMALLER = {"epochs=60": "epochs=1", "max_trials=200": "max_trials=6"}


def _blocks(text, language):
  return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _paths():
  """Everything in the documents that looks like a path of the checkout."""
  folders = r"tools|flags|docs|tests|tfdynnas"
  return sorted(set(re.findall(rf"(?<![\w./])(?:{folders})/[\w./]*\w", TEXT)))


def test_the_python_of_each_page_runs_by_itself(tmp_path):
  pages = {name: "\n".join(_blocks(text, "python")) for name, text in PAGES.items()}
  pages = {name: code for name, code in pages.items() if code}
  assert len(pages) >= 6
  folders = [tmp_path / name.replace("/", "_").removesuffix(".md") for name in pages]
  for folder, code in zip(folders, pages.values()):
    folder.mkdir()
    for number, less in SMALLER.items():
      code = code.replace(number, less)
    (folder / "page.py").write_text(code, "utf-8")
  # One process: each page begins in a folder of its own, and with no name.
  script = (f"{QUICK}import os, runpy\nfor folder in {list(map(str, folders))}:\n"
            "  os.chdir(folder)\n  runpy.run_path('page.py')\n")
  result = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True,
                          text=True, env=_environment(), check=False)
  assert result.returncode == 0, result.stderr
  written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
  assert written >= {
      "README/servables/digits/1/saved_model.pb", "README/runs/digits/search/found.json",
      "docs_guides_serving/servables/mine/1/saved_model.pb",
      "docs_guides_resume/runs/python/supernet/checkpoint.npz",
  }


def _environment():
  path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
  return os.environ | {"PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}


@pytest.mark.parametrize("path", _paths())
def test_path_is_there(path):
  assert (ROOT / path).exists()


def test_every_preset_and_tool_is_named():
  presets = {f"flags/{path.name}" for path in (ROOT / "flags").glob("*.cfg")}
  assert presets <= set(_paths())
  for command in re.findall(r"^\s+(tfdynnas-[\w-]+) =", (ROOT / "setup.cfg").read_text(), re.M):
    tool = command.removeprefix("tfdynnas-").replace("-", "_")
    assert f"tools/{tool}.py" in _paths()


def test_flags_are_flags_of_a_tool():
  named = set(re.findall(r"(?<![\w-])--(\w+)", TEXT)) - FOREIGN
  assert len(named) > 10
  tools = {re.search(r"(\w+)\.py", path).group(1) for path in _paths()
           if re.fullmatch(r"tools/\w+\.py", path)}
  known = set()
  for tool in tools:
    help_text = subprocess.run([sys.executable, "-m", f"tfdynnas.tools.{tool}", "--helpfull"],
                               cwd=ROOT, capture_output=True, text=True, check=False).stdout
    known |= set(re.findall(r"^\s+--(?:\[no\])?(\w+)", help_text, re.MULTILINE))
  assert not {name for name in named - known if name.removeprefix("no") not in known}


PLACES = {"pack": ["data_file"], "measure_latency": ["run_dir", "latency_table"]}


def _tool_calls():
  """(tool, its arguments) of every call of a launcher in the documents, each once."""
  found = []
  for text in PAGES.values():
    shell = "\n".join(_blocks(text, "sh")).replace("\\\n", " ")
    for name, value in re.findall(r'^(\w+)="(.*?)"', shell, re.MULTILINE):
      shell = shell.replace(f"${name}", value)
    calls = re.findall(r"^tools/(\w+)\.py (.*)$", shell, re.MULTILINE)
    found += [(tool, tuple(shlex.split(rest, comments=True))) for tool, rest in calls]
  return list(dict.fromkeys(found))


def test_every_call_of_a_tool_has_flags_that_it_takes():
  calls = _tool_calls()
  assert len(calls) >= 20
  for tool, arguments in calls:  # Without a place to write to, a tool stops when flags are checked.
    places = PLACES.get(tool, ["run_dir"])
    nowhere = [f"--{place}=" for place in places]
    result = subprocess.run(
      [sys.executable, "-m", f"tfdynnas.tools.{tool}", *arguments, *nowhere], cwd=ROOT,
      capture_output=True, text=True, check=False)
    refused = re.search(f"Give (--|`){places[0]}", result.stderr)
    assert result.returncode == 2 and refused, (tool, result.stderr)


@pytest.mark.parametrize("page", PAGES)
def test_pictures_are_small_and_links_lead_somewhere(page):
  for path in re.findall(r"!\[[^\]]*\]\(([^)]*)\)", PAGES[page]):
    assert 0 < (ROOT / page).parent.joinpath(path).stat().st_size < 300_000
  for path in re.findall(r"(?<!!)\[[^\]]*\]\((?!https?:)([^)#]+)", PAGES[page]):
    assert (ROOT / page).parent.joinpath(path).exists(), path


@pytest.mark.parametrize("page", PAGES)
def test_lines_outside_of_tables_and_blocks_are_short(page):
  prose = re.sub(r"^```.*?^```$", "", PAGES[page], flags=re.MULTILINE | re.DOTALL)
  long = [line for line in prose.splitlines()
          if len(line) > rules.MAX_LINE_LENGTH and not line.startswith("|")]
  assert not long


def test_they_build_without_a_broken_link_or_a_missing_name(tmp_path):
  pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
  done = subprocess.run(
      [sys.executable, "-m", "mkdocs", "build", "--strict", f"--site-dir={tmp_path / 'site'}"],
      cwd=ROOT, capture_output=True, text=True, env=_environment(), check=False)
  assert done.returncode == 0, done.stderr[-3000:]
  for page in ("index.html", "guides/train/index.html", "api/training/index.html"):
    assert "<h1" in (tmp_path / "site" / page).read_text("utf-8")


def test_every_page_is_in_the_menu():
  menu = (ROOT / "mkdocs.yml").read_text("utf-8")
  for page in PAGES:
    if page.startswith("docs/"):
      assert f" {page.removeprefix('docs/')}\n" in menu, page
