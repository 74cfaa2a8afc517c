"""Lines of results and the table that they make."""

import pytest

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas.analysis import results


def _result(row, seed, tau=None, **others):
  return {"row": row, "seed": seed, "flags": "--a", "tau_cifar10": tau, **others}


def test_lines_are_added_and_read_again(tmp_path):
  path = tmp_path / "new" / "results.csv"
  assert analysis.read_results(path) == []
  analysis.append_result(path, _result("SPOS", 0, 0.75))
  analysis.append_result(path, _result('odd, "name"', 1))
  lines = analysis.read_results(path)
  assert [line["row"] for line in lines] == ["SPOS", 'odd, "name"']
  assert (lines[0]["seed"], lines[0]["tau_cifar10"], lines[1]["tau_cifar10"]) == ("0", "0.75", "")
  assert [file.name for file in path.parent.iterdir()] == ["results.csv"]


def test_present_rows_are_known_by_name_seed_and_flags(tmp_path):
  analysis.append_result(tmp_path / "r.csv", _result("SPOS", 0))
  lines = analysis.read_results(tmp_path / "r.csv")
  assert analysis.has_result(lines, "SPOS", 0, "--a")
  assert not analysis.has_result(lines, "SPOS", 1, "--b")
  assert not analysis.has_result(lines, "FairNAS", 0, "--a")
  with pytest.raises(errors.InputError, match="'--a' there, '--b' here"):
    analysis.has_result(lines, "SPOS", 0, "--b")


def test_the_table_has_means_and_deviations_over_seeds(tmp_path):
  path = tmp_path / "r.csv"
  for seed, tau in enumerate((0.7, 0.8)):
    analysis.append_result(path, _result("SPOS", seed, tau, peak_mb=1000 + seed, top1_cifar10=93,
                                         device_mb=500))
  analysis.append_result(path, _result("FairNAS", 0, 0.5, hours=0.25))
  head, _, one, two = analysis.results_table(analysis.read_results(path)).splitlines()
  assert head.startswith("| method | seeds | cifar10 tau | cifar10 top-1 | cifar100 tau |")
  cells = [cell.strip() for cell in one.strip("|").split("|")]
  assert cells[:4] == ["SPOS", "2", "0.750 ± 0.071", "93.00 ± 0.00"]
  assert cells[4:8] == ["n/a"] * 4 and cells[-3:] == ["1000 ± 1", "500 ± 0", "n/a"]
  assert two.startswith("| FairNAS | 1 | 0.500 | n/a |") and two.endswith("| 0.25 |")


def test_a_file_from_before_a_column_was_added_is_read_and_added_to(tmp_path):
  path = tmp_path / "r.csv"
  path.write_text("row,seed,flags,hours\nSPOS,0,--a,0.5\n")
  assert analysis.read_results(path)[0]["split"] == ""
  analysis.append_result(path, _result("FairNAS", 0, 0.5, split="3<-0"))
  one, two = analysis.read_results(path)
  assert tuple(one) == results.COLUMNS
  assert (one["hours"], one["split"], two["split"], two["hours"]) == ("0.5", "", "3<-0", "")


@pytest.mark.parametrize("column, value", [
    ("tau_cifar10", "x"), ("tau_cifar10", "1.5"), ("tau_low", "nan"), ("top1_cifar10", "101"),
    ("hours", "-1"), ("peak_mb", "inf")])
def test_numbers_that_cannot_be_are_refused_by_name(tmp_path, column, value):
  path = tmp_path / "r.csv"
  path.write_text(f"row,seed,flags,{column}\nSPOS,0,--a,\nSPOS,1,--a,{value}\n")
  with pytest.raises(errors.InputError, match=f"r.csv must .*row 2.{column}='?{value}"):
    analysis.read_results(path)


@pytest.mark.parametrize("content", [
    b"row,seed,flags\n\xff,0,--a\n", b"row,seed,flags\na,0\n", b"row,seed,flags\na,0,1,2\n",
    b"row,row,seed,flags\n", b"", b'row,seed,flags\n"a'])
def test_a_damaged_file_is_refused_by_name(tmp_path, content):
  (tmp_path / "r.csv").write_bytes(content)
  with pytest.raises(errors.InputError, match="r.csv must "):
    analysis.append_result(tmp_path / "r.csv", _result("SPOS", 0))
  assert (tmp_path / "r.csv").read_bytes() == content


def test_a_foreign_file_is_refused_and_left(tmp_path):
  path = tmp_path / "r.csv"
  path.write_text("name,price\nbread,2\n")
  with pytest.raises(errors.InputError, match="must have the columns row, seed.*name, price"):
    analysis.append_result(path, _result("SPOS", 0))
  assert path.read_text() == "name,price\nbread,2\n"
