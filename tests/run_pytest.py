"""Runs one test file under Bazel: `run_pytest.py FILE`, from the folder that Bazel prepared."""

import importlib.util
import pathlib
import sys

import pytest

import tfdynnas


def main():
  """Makes the package what the BUILD deps say, then runs the tests.

  An editable install would hand a test more than its deps, so it is hidden. tools/ and flags/ stand
  beside the package and install inside it: so they are found there, where the deps name them.
  """
  sys.meta_path[:] = [finder for finder in sys.meta_path
                      if "__editable__" not in getattr(finder, "__module__", "")]
  for folder in ("tools", "flags"):
    init = pathlib.Path(tfdynnas.__file__).parent.parent / folder / "__init__.py"
    if init.exists():
      _import_as(f"tfdynnas.{folder}", init)
  return pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]])


def _import_as(name, init):
  spec = importlib.util.spec_from_file_location(
    name, init, submodule_search_locations=[str(init.parent)])
  sys.modules[name] = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(sys.modules[name])


if __name__ == "__main__":
  sys.exit(main())
