"""The face of the package: what `import tfdynnas` gives, and what it costs."""

import subprocess
import sys

import pytest

import tfdynnas as nas


@pytest.mark.parametrize("name", nas.__all__)
def test_every_name_is_there_and_documented(name):
  assert getattr(nas, name).__doc__ and name in dir(nas)


def test_no_other_name_is_there():
  with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
    nas.Nothing


def test_importing_it_imports_nothing_else_and_spaces_no_keras():
  code = (
      "import sys; before = set(sys.modules); import tfdynnas as nas\n"
      "assert 'numpy' not in set(sys.modules) - before\n"
      "assert nas.spaces.nasbench201(channels=8, cells=1, image_size=8).size == 15625\n"
      "assert not {'keras', 'tensorflow', 'absl'} & set(sys.modules)"
  )
  done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr
