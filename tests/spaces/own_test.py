"""`--space=module:function`: a space that the user's own function makes, and what may be wrong."""

import sys
import textwrap

import pytest

from tfdynnas import errors
from tfdynnas import spaces

MODULE = textwrap.dedent('''
    from tfdynnas import spaces

    SIZE = 3

    def make_space(channels=8, image_size=32, classes=10):
      operations = [spaces.Operation("skip", "identity"), spaces.Operation("conv", "conv", 3)]
      skeleton = spaces.Skeleton(channels, 1, image_size, classes)
      return spaces.cell_space("mine", operations, nodes=3, skeleton=skeleton)

    def fixed(image_size, classes):
      return make_space()

    def raises(image_size, classes):
      raise KeyError("one\\ntwo")

    def none(image_size, classes):
      return None

    def bad_size(image_size, classes):
      return make_space(image_size=7)

    def cheaper(image_size, classes):
      import dataclasses
      made = make_space(8, image_size, classes)
      return dataclasses.replace(made, costs=dict.fromkeys(made.costs, made.costs["params"]))
''')


@pytest.fixture
def module(tmp_path, monkeypatch):
  """The name of a module in the working directory, which no other test has imported."""
  name = f"own_{tmp_path.name}".replace("-", "_")
  (tmp_path / f"{name}.py").write_text(MODULE)
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(sys, "dont_write_bytecode", True)
  yield name
  sys.modules.pop(name, None)


def test_a_function_is_called_with_the_size_that_was_given(module):
  before = list(sys.path)
  made = spaces.get(f"{module}:make_space", channels=4, image_size=8, classes=3)
  skeleton = spaces.Skeleton(4, 1, 8, 3)
  operations = [spaces.Operation("skip", "identity"), spaces.Operation("conv", "conv", 3)]
  assert made == spaces.cell_space("mine", operations, nodes=3, skeleton=skeleton)
  assert spaces.get(f"{module}:make_space", image_size=8, classes=3).skeleton.channels == 8
  assert sys.path == before


@pytest.mark.parametrize("function, size, message", [
    ("nothing", {}, "must name a function as module:function. Received: AttributeError: "),
    ("SIZE", {}, "must name a function as module:function. Received: 3"),
    ("make_space", {"cells": 2}, "must take cells, image_size, classes. Received: TypeError: "),
    ("fixed", {}, "must return a space of image_size=8. Received: 32"),
    ("raises", {}, "must make a space. Received: KeyError: "),
    ("none", {}, "must return a spaces.Space. Received: None"),
    ("bad_size", {}, "must make a space. Received: InputError: `image_size` must be a multiple"),
    ("cheaper", {}, "must return what `cell_space` or `layer_space` make, as it is."),
])
def test_what_is_wrong_with_a_function_is_one_line(module, function, size, message):
  name = f"{module}:{function}"
  with pytest.raises(errors.InputError) as error:
    spaces.get(name, **size, image_size=8, classes=10)
  assert str(error.value).startswith(f"`space` {name} {message}")
  assert "\n" not in str(error.value)


def test_what_is_wrong_with_a_module_is_one_line(tmp_path, module):
  (tmp_path / "broken_space.py").write_text("def make(:")
  for name, message in ((f"{module}_none", "ModuleNotFoundError: No module named"),
                        ("broken_space", "SyntaxError: ")):
    with pytest.raises(errors.InputError, match=f"module:function. Received: {message}"):
      spaces.get(f"{name}:make", image_size=8, classes=10)


def test_a_name_that_is_none_is_refused():
  with pytest.raises(errors.InputError, match=r"one of \('nasbench201', 'mobilenet'\). Received"):
    spaces.get("darts")
