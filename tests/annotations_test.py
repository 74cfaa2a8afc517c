"""What a type checker is told of the front door: every name and signature, and no untruth."""

import ast
import inspect
import pathlib

import pytest

import tfdynnas as nas
from tests import front_door

ROOT = pathlib.Path(__file__).resolve().parent.parent
USER = '''
import tfdynnas as nas

digits = nas.data.digits(image_size=16)
space = nas.spaces.nasbench201(channels=8, cells=1, image_size=16)
supernet = nas.Supernet(space, seed=3)
supernet.compile(nas.MS(nas.CaLR(0.05, gamma_max=4)), method=nas.SinglePath(sampler="uniform"))
supernet.fit(digits, epochs=2, batch_size=64)
search = nas.EvolutionSearch(supernet, digits, limits={"params": 40_000}, max_trials=20)
search.search()
arch, metrics = search.best()
network = supernet.subnet(arch)
network.compile("sgd", nas.losses.crossentropy(smoothing=0.1))
print(space.format(arch), metrics["accuracy"], nas.export(network, "servables/x", digits).name)
'''
# One mistake a line.
WRONG = '''
import tfdynnas as nas

nas.Nothing
nas.CaLR("fast")
nas.spaces.nasbench201(channels=8.5)
nas.data.digits(seeds=1)
nas.data.from_folder("photos").batches("train", "64")
nas.Supernet(nas.spaces.mobilenet()).subnet("0,1")
nas.losses.crossentropy(smoothing=None)
nas.export(None, 1, nas.data.digits())
nas.EvolutionSearch(None, None, max_trials="many")
'''


def _lacks(name, function):
  """What a signature does not tell; `self`, `*args` and `**kwargs` need no type."""
  signature = inspect.signature(function)
  free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
  lacking = [key for key, one in signature.parameters.items()
             if one.annotation is one.empty and one.kind not in free and key not in ("self", "cls")]
  if signature.return_annotation is signature.empty and not name.endswith("__init__"):
    lacking.append("return")
  return lacking


def test_a_type_checker_is_told_of_the_names_that_are_there():
  tree = ast.parse(pathlib.Path(nas.__file__).read_text("utf-8"))
  (block,) = [node for node in tree.body
              if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
  told = {alias.asname: f"{node.module}.{alias.name}" for node in block.body
          for alias in node.names}
  modules = {name: f"tfdynnas.{path}" for name, path in nas._MODULES.items()}
  names = {name: f"tfdynnas.{path}.{name}" for name, path in nas._NAMES.items()}
  assert told == {**modules, **names}


@pytest.mark.parametrize("module", [nas.data, nas.spaces])
def test_a_module_of_the_front_door_lists_its_names(module):
  imported = {key for key, value in vars(module).items()
              if not key.startswith("_") and not inspect.ismodule(value)}
  assert module.__all__ == sorted(imported)


def test_every_signature_is_annotated():
  lacking = {name: _lacks(name, function) for name, function in front_door.functions()}
  assert len(lacking) > 100
  assert not {name: names for name, names in lacking.items() if names}


def _mypy(monkeypatch, *args):
  """(status, lines) of mypy by the project's settings."""
  api = pytest.importorskip("mypy.api")
  monkeypatch.chdir(ROOT)
  output, complaint, status = api.run(["--no-error-summary", *map(str, args)])
  return status, (output + complaint).splitlines()


def test_the_front_door_and_its_user_are_clean(monkeypatch, tmp_path):
  assert _mypy(monkeypatch) == (0, [])
  (tmp_path / "user.py").write_text(USER, "utf-8")
  assert _mypy(monkeypatch, "--strict", tmp_path / "user.py") == (0, [])


def test_mistakes_of_a_user_are_seen(monkeypatch, tmp_path):
  (tmp_path / "wrong.py").write_text(WRONG, "utf-8")
  status, lines = _mypy(monkeypatch, tmp_path / "wrong.py")
  found = {int(line.split(":")[1]) for line in lines if ": error: " in line}
  assert status == 1 and found == set(range(4, len(WRONG.splitlines()) + 1)), lines
