"""The walls and manners of the source, read from the source; the rules are in source_rules.py."""

import ast
import pathlib
import re
import statistics
import subprocess
import sys

import pytest

from tests import source_rules as rules

ROOT = pathlib.Path(__file__).resolve().parent.parent


def _sources(*folders):
  """(path from the root, text) of each Python file below the folders."""
  files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
  assert files, f"no Python file below {folders}"
  return [(file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in files]


def _tracked_files():
  """Every file that git tracks; in a checkout without git, every file of the known folders."""
  if (ROOT / ".git").exists():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True,
                           text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]
  folders = ("tfdynnas", "tools", "flags", "tests", "docs", ".ci", "third_party")
  files = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file()]
  return [file for file in [*files, *ROOT.glob("*.*")] if "__pycache__" not in file.parts]


def _expect_none(found):
  if found:
    pytest.fail("\n".join(found), pytrace=False)


def _check(rule, *folders, with_text=False):
  found = []
  for path, text in _sources(*folders):
    tree = ast.parse(text)
    found += rule(path, tree, text) if with_text else rule(path, tree)
  _expect_none(found)


@pytest.mark.parametrize("rule", [
  rules.layer_offences,
  rules.outside_offences,
  rules.private_offences,
  rules.output_offences,
], ids=lambda rule: rule.__name__)
def test_package_and_tools_keep_the_walls(rule):
  _check(rule, "tfdynnas", "tools")


def test_source_is_documented():
  _check(rules.docstring_offences, "tfdynnas", "tools", "tests")


def test_source_is_named_in_our_words():
  _check(rules.vocabulary_offences, "tfdynnas", "tools", "tests")


def test_files_functions_and_lines_are_short():
  _check(rules.length_offences, "tfdynnas", "tools", "tests", with_text=True)


def test_median_file_is_short():
  lengths = [len(text.splitlines()) for path, text in _sources("tfdynnas", "tools")
             if not path.endswith("__init__.py")]
  assert statistics.median(lengths) < 150


def test_tracked_text_is_finished_and_names_no_machine():
  found = []
  for file in _tracked_files():
    try:
      text = file.read_text("utf-8")
    except UnicodeDecodeError:
      continue
    found += rules.text_offences(file.relative_to(ROOT).as_posix(), text)
  _expect_none(found)


def test_build_files_and_rules_agree():
  for folder in set(rules.INSIDE) - {"", "tools"}:
    build = (ROOT / "tfdynnas" / folder / "BUILD").read_text("utf-8")
    assert set(re.findall(r'"//tfdynnas/(\w+)"', build)) == rules.INSIDE[folder], folder


def test_every_folder_has_a_rule():
  folders = {rules.folder_of(path) for path, _ in _sources("tfdynnas", "tools")}
  assert folders <= set(rules.INSIDE)
  assert set(rules.INSIDE) == set(rules.OUTSIDE)


def _modules_after_import(names):
  """The top-level modules that a fresh interpreter holds after importing `names`."""
  code = f"import sys, {', '.join(names)}\nprint(*{{m.split('.')[0] for m in sys.modules}})"
  result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
  assert result.returncode == 0, result.stderr
  return set(result.stdout.split())


def test_spaces_import_neither_tensorflow_nor_keras():
  loaded = _modules_after_import(["tfdynnas.spaces"])
  assert "tfdynnas" in loaded
  assert not loaded & {"tensorflow", "keras", "jax", "torch", "absl"}


def test_tools_and_data_start_without_what_takes_long():
  tools = [f"tfdynnas.tools.{pathlib.Path(path).stem}" for path, _ in _sources("tools")
           if not path.endswith("__init__.py") and path not in rules.LATE]
  # One process each: a command owns the names of its flags.
  for names in (["tfdynnas.data", "tfdynnas.config"], *([tool] for tool in tools)):
    late = {"tensorflow", "keras", "jinja2", "rich", "PIL"}
    assert not _modules_after_import(names) & late, names


# Each rule must be able to fail.

@pytest.mark.parametrize("rule, path, code", [
  (rules.layer_offences, "tfdynnas/spaces/a.py", "import tfdynnas.supernet"),
  (rules.layer_offences, "tfdynnas/supernet/a.py", "from tfdynnas import training"),
  (rules.layer_offences, "tfdynnas/training/a.py", "from tfdynnas.search import oracle"),
  (rules.layer_offences, "tfdynnas/training/a.py", "from ..search import oracle"),
  (rules.layer_offences, "tfdynnas/training/a.py", "from .. import data"),
  (rules.layer_offences, "tfdynnas/supernet/supernet.py", "from tfdynnas.jobs import fit"),
  (rules.layer_offences, "tfdynnas/supernet/few_shot.py", "def f():\n  from tfdynnas import jobs"),
  (rules.layer_offences, "tfdynnas/data/a.py", "def f():\n  import tfdynnas.spaces"),
  (rules.layer_offences, "tfdynnas/hashing.py", "import tfdynnas.spaces"),
  (rules.layer_offences, "tfdynnas/search/a.py", "import tfdynnas.tools.nas"),
  (rules.layer_offences, rules.FACE, "from tfdynnas import data"),
  (rules.layer_offences, "tfdynnas/a.py", "if TYPE_CHECKING:\n  from tfdynnas import data"),
  (rules.outside_offences, "tfdynnas/spaces/a.py", "import keras"),
  (rules.outside_offences, "tfdynnas/supernet/a.py", "def f():\n  import tensorflow as tf"),
  (rules.outside_offences, "tfdynnas/training/loop.py", "import tensorflow as tf"),
  (rules.outside_offences, "tfdynnas/optimizers/ms.py", "import jax"),
  (rules.outside_offences, "tfdynnas/training/loop.py", "importlib.import_module('tensorflow')"),
  (rules.outside_offences, "tfdynnas/analysis/a.py", "import keras_tuner"),
  (rules.outside_offences, "tfdynnas/search/a.py", "from absl import flags"),
  (rules.outside_offences, "tfdynnas/data/a.py", "import tensorflow_datasets as tfds"),
  (rules.layer_offences, "tfdynnas/serving/a.py", "from tfdynnas import jobs"),
  (rules.layer_offences, "tfdynnas/backend/a.py", "from tfdynnas.methods import method"),
  (rules.layer_offences, "tfdynnas/optimizers/ms.py", "from tfdynnas import spaces"),
  (rules.outside_offences, "tfdynnas/jobs/a.py", "from absl import flags"),
  (rules.outside_offences, "tfdynnas/hashing.py", "import tensorflow as tf"),
  (rules.outside_offences, "tools/nas.py", "import tensorflow as tf"),
  (rules.outside_offences, "tools/nas.py", "try:\n  import tensorflow as tf\nexcept E:\n  pass"),
  (rules.private_offences, "tools/nas.py", "from keras.src import optimizers"),
  (rules.private_offences, "tools/nas.py", "from keras import src"),
  (rules.private_offences, "tfdynnas/data/a.py", "def f():\n  tf.compat.v1.Session()"),
  (rules.private_offences, "tfdynnas/search/a.py", "import keras_tuner.src.engine"),
  (rules.output_offences, "tfdynnas/a.py", "print('x')"),
  (rules.output_offences, "tfdynnas/a.py", "x = flags.FLAGS.lr"),
  (rules.docstring_offences, "tools/nas.py", "import os"),
  (rules.docstring_offences, "tools/nas.py", "'''Doc.'''\ndef run():\n  pass"),
  (rules.docstring_offences, "tools/nas.py", "'''Doc.'''\nclass Run:\n  pass"),
  (rules.vocabulary_offences, "tfdynnas/search/base_oracle.py", ""),
  (rules.vocabulary_offences, "tfdynnas/utils.py", ""),
  (rules.vocabulary_offences, "tests/helpers/a_test.py", ""),
  (rules.vocabulary_offences, "tfdynnas/a.py", "def f(arch_struc):\n  pass"),
  (rules.vocabulary_offences, "tfdynnas/a.py", "alpha = 1"),
])
def test_rule_sees_bad_code(rule, path, code):
  assert list(rule(path, ast.parse(code)))


@pytest.mark.parametrize("rule, path, code", [
  (rules.layer_offences, "tfdynnas/spaces/a.py", "from tfdynnas import errors, hashing"),
  (rules.layer_offences, "tfdynnas/spaces/a.py", "from tfdynnas.spaces.space import Space"),
  (rules.layer_offences, "tfdynnas/spaces/a.py", "from . import cell"),
  (rules.layer_offences, "tfdynnas/supernet/supernet.py", "def f():\n  from tfdynnas import jobs"),
  (rules.layer_offences, "tools/nas.py", "from tfdynnas.tools import search"),
  (rules.layer_offences, "tfdynnas/jobs/a.py", "from tfdynnas import spaces, search"),
  (rules.outside_offences, "tfdynnas/backend/tensorflow/a.py", "import tensorflow as tf"),
  (rules.outside_offences, "tfdynnas/backend/variable_rows.py", "import tensorflow as tf"),
  (rules.outside_offences, "tfdynnas/data/a.py", "def f():\n  import tensorflow as tf"),
  (rules.outside_offences, "tfdynnas/data/a.py", "if TYPE_CHECKING:\n  import tensorflow as tf"),
  (rules.layer_offences, rules.FACE, "if TYPE_CHECKING:\n  from tfdynnas import data"),
  (rules.outside_offences, "tfdynnas/search/a.py", "from absl import logging"),
  (rules.private_offences, "tfdynnas/training/a.py", "from keras import ops\nkeras.ops.sum(1)"),
  (rules.output_offences, "tools/nas.py", "print('x')"),
  (rules.vocabulary_offences, "tfdynnas/a.py", "plot(alpha=1)"),
])
def test_rule_passes_good_code(rule, path, code):
  assert not list(rule(path, ast.parse(code)))


@pytest.mark.parametrize("text", [
  "# TO" "DO: later", "cd /wo" "rk/main", "'/ro" "ot'", "open(\"/ho" "me/me/a\")", "x\n/ho" "me",
  "https://py" "pi.org/simple", "--index" "-url=x",
])
def test_text_rule_sees_bad_text(text):
  assert list(rules.text_offences("README.md", text))


@pytest.mark.parametrize("text", [
  "ImageFolder: root/train", "the home/work of", "$PWD/work/a", "{r}/root/x", "/rooted",
])
def test_text_rule_passes_good_text(text):
  assert not list(rules.text_offences("README.md", text))


@pytest.mark.parametrize("lines, offences", [(38, 0), (39, 1), (400, 2)])
def test_length_rule_counts(lines, offences):
  text = "def f():\n" + "  pass\n" * lines
  assert len(list(rules.length_offences("tfdynnas/a.py", ast.parse(text), text))) == offences
