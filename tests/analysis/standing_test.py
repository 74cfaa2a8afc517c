"""The place of the network found, by hand."""

from tfdynnas import analysis


def _result(accuracy, params, right=None):
  counts = {"by_class": {"right": right, "images": [50, 50]}} if right else {}
  return {"accuracy": accuracy, "params": params, "macs": 10 * params, "part": "test",
          "string": f"arch {params}", **counts}


RECORD = {
    "found": _result(0.9, 2000, [45, 45]), "largest": _result(0.95, 3000),
    "randoms": [_result(0.9, 1000), _result(0.5, 1500)],
}


def test_the_place_is_by_accuracy_and_shared_by_equals():
  assert analysis.standing_line(RECORD) == (
      "2 of 4 on test images (standard error 0.0300), shared with 1; 2 random of at most its cost: "
      "0.5000 to 0.9000, mean 0.7000; the largest within the limits: 0.9500")
  assert analysis.standing_table(RECORD) == [
      ("place", "network", "params", "macs", "accuracy", "architecture"),
      ("1", "largest", "3,000", "30,000", "0.9500", "arch 3000"),
      ("2", "found", "2,000", "20,000", "0.9000", "arch 2000"),
      ("2", "random", "1,000", "10,000", "0.9000", "arch 1000"),
      ("4", "random", "1,500", "15,000", "0.5000", "arch 1500"),
  ]


def test_one_that_is_itself_the_largest_and_alone():
  record = {"found": _result(0.9, 2000), "largest": None, "randoms": []}
  assert analysis.standing_line(record) == (
      "1 of 1 on test images; it is the largest within the limits")
  assert len(analysis.standing_table(record)) == 2
