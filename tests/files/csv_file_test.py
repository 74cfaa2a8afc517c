"""CSV files are whole, and hold numbers that can be."""

import pytest

from tfdynnas import errors
from tfdynnas.files import csv_file
from tfdynnas.files import json_schema

_KINDS = {
    "step": json_schema.COUNT, "accuracy": json_schema.SHARE, "loss": (float, None), "name": str,
}


def test_a_file_is_read_as_it_was_written(tmp_path):
  path = tmp_path / "a.csv"
  csv_file.write(path, ("n", "text"), [{"n": 1, "text": "a,\n\"b"}, {"n": None}])
  assert path.read_bytes() == b'n,text\n1,"a,\n""b"\n,\n'
  assert csv_file.read(path, "a table") == (
      ["n", "text"], [{"n": "1", "text": "a,\n\"b"}, {"n": "", "text": ""}])


def test_cells_are_numbers_where_they_must_be(tmp_path):
  path = tmp_path / "a.csv"
  path.write_text('name,step,accuracy,more\n"a,\nb",3,1e-1,\nc,4,1,x\n')
  columns, rows = csv_file.read(path, "a table")
  assert columns == ["name", "step", "accuracy", "more"]
  assert rows[0] == {"name": "a,\nb", "step": "3", "accuracy": "1e-1", "more": ""}
  assert csv_file.cells(path, rows, _KINDS) == [
      {"step": 3, "accuracy": 0.1, "loss": None, "name": "a,\nb"},
      {"step": 4, "accuracy": 1.0, "loss": None, "name": "c"}]


@pytest.mark.parametrize("content, message", [
    (b"name,step,accuracy\nc,4\n", "row 1 is not as long as the header"),
    (b"name,step,accuracy\nc,4,1,1\n", "row 1 is not as long"),
    (b"\xff\n", "can't decode"), (b"a\n" + b"1" * 200_000 + b"\n", "field larger"),
    (b'a\n"1', "unexpected end"), (b"name,step,accuracy\nc,4,7.5\n", "row 1.accuracy=7.5"),
    (b"name,step,accuracy\nc,4,1\nc,4,nan\n", "row 2.accuracy=nan"),
    (b"name,step,accuracy\nc,-1,1\n", "row 1.step=-1"),
    (b"name,step,accuracy\nc,1.5,1\n", r"row 1.step='1.5'"),
    (b"name,step,accuracy\n,4,1\n", "row 1.name=None"),
    (b"name,step\nc,4\n", "row 1.accuracy=None"),
    (b"name,step,accuracy,loss\nc,4,1,inf\n", "row 1.loss=inf"),
    (b"name,step,accuracy\nc," + b"1" * 5000 + b",1\n", "row 1.step='111"),
])
def test_what_is_not_whole_or_cannot_be_is_refused(tmp_path, content, message):
  path = tmp_path / "a.csv"
  path.write_bytes(content)
  with pytest.raises(errors.InputError, match=f"a.csv must .*{message}"):
    csv_file.cells(path, csv_file.read(path, "a table")[1], _KINDS)
