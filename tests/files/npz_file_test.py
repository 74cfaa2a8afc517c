"""Damaged .npz files: what is read is what was written, or one line says what is wrong."""

import io
import random
import zipfile

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas.files import npz_file

ARRAYS = {"cifar10_test": np.arange(1, 41, dtype=np.float32), "space": np.array("mine")}


def _flipped(whole, bits):
  damaged = bytearray(whole)
  for bit in bits:
    damaged[bit // 8] ^= 1 << bit % 8
  return bytes(damaged)


def _same(found):
  return found.keys() == ARRAYS.keys() and all(
      found[name].dtype == ARRAYS[name].dtype and np.array_equal(found[name], ARRAYS[name])
      for name in found)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_no_single_bit_changes_what_is_read_or_gives_a_library_s_error(tmp_path, save, capfd):
  path, whole = tmp_path / "t.npz", io.BytesIO()
  save(whole, **ARRAYS)
  whole, refused, rng = whole.getvalue(), 0, random.Random(0)
  directory = 8 * whole.index(b"PK\x01\x02")  # Where the directory begins.
  bits = [*rng.sample(range(directory, 8 * len(whole)), 700), *rng.sample(range(directory), 200)]
  for bit in bits:
    path.write_bytes(_flipped(whole, [bit]))
    try:
      assert _same(npz_file.read(path, "a table")), bit
    except errors.InputError as error:
      assert str(error).startswith(f"{path} must be a table. Received: ")
      assert len(str(error).splitlines()) == 1
      refused += 1
  assert refused > 500 and capfd.readouterr() == ("", "")


def test_many_bits_and_cuts_are_refused_or_harmless_to_a_table(tmp_path):
  path, whole, rng = tmp_path / "t.npz", io.BytesIO(), random.Random(1)
  np.savez(whole, **ARRAYS)
  whole = whole.getvalue()
  for _ in range(200):
    damaged = _flipped(whole, rng.sample(range(8 * len(whole)), 3))
    path.write_bytes(damaged[:rng.choice([len(whole), rng.randrange(len(whole))])])
    try:
      table = analysis.load_table(path)
    except errors.InputError:
      continue
    assert np.array_equal(table.accuracy("cifar10"), ARRAYS["cifar10_test"])


@pytest.mark.parametrize("content", [
    b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, ",
    b"\x93NUMPY\x01\x00\x40\x00" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1%s,)}" %
    (b"0" * 11), b"text",
])
def test_headers_that_lie_beneath_right_checksums_are_refused(tmp_path, content):
  path = tmp_path / "t.npz"
  with zipfile.ZipFile(path, "w") as file:
    file.writestr("cifar10_test.npy", content)
  with pytest.raises(errors.InputError, match="must be a table. Received: "):
    npz_file.read(path, "a table")


def test_more_than_the_header_says_is_refused_and_what_is_not_wanted_is_checked(tmp_path):
  path, array = tmp_path / "t.npz", io.BytesIO()
  np.save(array, np.zeros(3))
  with zipfile.ZipFile(path, "w") as file:
    file.writestr("a.npy", array.getvalue() + b"x")
    file.writestr("b.npy", array.getvalue())
  with pytest.raises(errors.InputError, match="a is longer than its header says"):
    npz_file.read(path, "a table")
  assert list(npz_file.read(path, "a table", {"b"})) == ["b"]
  path.write_bytes(path.read_bytes().replace(array.getvalue() + b"x", array.getvalue() + b"y"))
  with pytest.raises(errors.InputError, match="Bad CRC"):
    npz_file.read(path, "a table", {"b"})
