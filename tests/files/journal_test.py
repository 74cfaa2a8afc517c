"""Files of lines: a job that was killed goes on, that of another and a damaged one are refused."""

import pytest

from tfdynnas import errors
from tfdynnas.files import journal
from tfdynnas.files import json_schema

KIND = {"n": json_schema.COUNT}


def _journal(path, identity):
  return journal.Journal(path, identity, "a count", KIND)


def test_a_journal_goes_on_after_a_torn_line(tmp_path):
  path = tmp_path / "log.jsonl"
  first = _journal(path, {"a": (1,)})
  assert not path.exists() and first.rows == []
  for n in (3, 4):
    first.add({"n": n})
  first.close()
  path.write_text(path.read_text() + '{"n": 5')
  again = _journal(path, {"a": [1]})
  assert again.rows == [{"n": 3}, {"n": 4}]
  again.add({"n": 6})
  again.close()
  assert path.read_text() == '{"identity": {"a": [1]}}\n{"n": 3}\n{"n": 4}\n{"n": 6}\n'


def test_a_journal_of_another_job_is_refused(tmp_path):
  path = tmp_path / "log.jsonl"
  journal.write(path, [{"identity": {"a": 1}}, {"n": 3}])
  with pytest.raises(errors.InputError, match="delete it to begin anew. Received: a=1 there, 2 he"):
    _journal(path, {"a": 2})


@pytest.mark.parametrize("content, words", [
    ("", "Line 1 of .*jsonl must be a count; delete"), ('{"n": 1}\n', "Line 1 of .*identity=None"),
    ('{"identity": {}}\n{"n": 1}\n{"n": -1}\n', "Line 3 of .*n=-1"),
    ('{"identity": {}}\n{\n', "Line 2 of .*jsonl must be a count; delete the file to begin anew"),
])
def test_a_damaged_journal_names_the_line(tmp_path, content, words):
  (tmp_path / "log.jsonl").write_text(content)
  with pytest.raises(errors.InputError, match=words):
    _journal(tmp_path / "log.jsonl", {})


def test_a_whole_file_is_read_as_it_was_written(tmp_path):
  path = tmp_path / "lines.jsonl"
  assert journal.read(path, "a count", KIND) == []
  journal.write(path, [{"n": 1, "é": "\u2028"}, {"n": 2}])
  assert journal.read(path, "a count", KIND) == [{"n": 1, "é": "\u2028"}, {"n": 2}]
  path.write_text('{"n": 1}\n{"n": "x"}\n')
  with pytest.raises(errors.InputError, match="Line 2 of .*lines.jsonl must .*n='x'"):
    journal.read(path, "a count", KIND)
