"""A latency table, and searches under it and for a front, through the launchers."""

import csv
import json
import shutil

import pytest

from tests.tools import launcher

MEASURE = ("--warmup=1", "--repeats=2", "--threads=1")
FRONT = ("--search=pareto", *(flag for flag in launcher.SEARCH if "parents" not in flag))
PARETO = (*FRONT, "--pareto_costs=macs,latency", "--max_bytes=12000")


@pytest.fixture(scope="module")
def table(trained, tmp_path_factory):
  """(path, what was printed) of a latency table of the trained run's space."""
  path = tmp_path_factory.mktemp("table") / "here.json"
  said = launcher.succeed("measure_latency", f"--run_dir={trained}", f"--latency_table={path}",
                          *MEASURE, "--check=2")
  return path, said


def test_a_table_of_the_flags_of_a_space_is_that_of_a_run_of_them(table):
  path, said = table
  before = path.read_bytes()
  space = (*launcher.SPACE, "--image_size=8", "--keep_classes=10")
  again = launcher.succeed("measure_latency", *space, f"--latency_table={path}", *MEASURE)
  assert said.startswith(again) and path.read_bytes() == before
  wider = (*space, "--channels=4")
  other = launcher.run("measure_latency", *wider, f"--latency_table={path}", *MEASURE)
  assert "space" in launcher.refusal(other)
  other = launcher.run("measure_latency", "--dataset=digits", f"--latency_table={path}", *MEASURE)
  assert "--keep_classes, how many classes they have. Received: --dat" in launcher.refusal(other)
  assert "Give --run_dir=FOLDER, or" in launcher.refusal(launcher.run("measure_latency", *space))


def _rows(path):
  with open(path, newline="") as file:
    return list(csv.DictReader(file))


def test_a_table_says_what_it_was_measured_on(table, trained):
  path, said = table
  stored = json.loads(path.read_text())
  assert stored["machine"]["processors"] == 1 and stored["settings"]["batch"] == 1
  assert [len(row) for row in stored["rows"]] == [3] * 3
  assert "Of 2 random subnets measured whole: tau-b" in said and str(path) in said
  check = json.loads(path.with_name("here.check.json").read_text())
  assert len(check["archs"]) == 2 and {"kendall", "spearman", "relative_error"} <= set(check)
  other = launcher.run("measure_latency", f"--run_dir={trained}", f"--latency_table={path}",
                       *MEASURE, "--latency_batch=2")
  assert "settings.batch=1 there, 2 here" in launcher.refusal(other)


def test_a_killed_search_for_a_front_is_the_unharmed_one(table, trained, copy, tmp_path):
  run, flags = copy(trained), (*PARETO, f"--latency_table={table[0]}")
  told = launcher.kill(3, "search", *flags, f"--run_dir={run}")
  said = launcher.succeed("search", *flags, f"--run_dir={run}")
  assert "Front of accuracy against macs, latency: " in said and " bytes, " in said
  trials, front = (_rows(run / "search" / f"{name}.csv") for name in ("trials", "front"))
  assert len(trials) == 15 and all(int(row["bytes"]) <= 12000 for row in trials)
  found = json.loads((run / "search" / "found.json").read_text())
  assert sorted(found["front"]) == sorted(int(row["trial"]) for row in front)
  for row in trials:  # Of the front, or surpassed by one of it.
    point = [-float(row["accuracy"]), float(row["macs"]), float(row["latency"])]
    others = [[-float(o["accuracy"]), float(o["macs"]), float(o["latency"])] for o in front]
    surpassed = any(o != point and all(a <= b for a, b in zip(o, point)) for o in others)
    assert surpassed != (row in front)
  assert (run / "search.png").stat().st_size > 10_000
  unharmed = launcher.succeed("search", *flags, f"--run_dir={copy(trained, 'unharmed')}")
  assert _rows(tmp_path / "unharmed" / "search" / "trials.csv") == trials, f"killed: {told}"
  assert unharmed.partition("\n")[0] == said.partition("\n")[0]


def test_points_of_a_front_are_trained_and_exported_side_by_side(trained, copy):
  run = copy(trained)
  flags = (*FRONT, f"--run_dir={run}")
  launcher.succeed("search", *flags)
  points = _rows(run / "search" / "front.csv")[:2]
  refused = launcher.run("export", f"--run_dir={run}", f"--arch={points[0]['arch']}")
  assert "Train the network first" in launcher.refusal(refused)
  for name, point in zip(("first", "second"), points):
    own = (f"--run_dir={run}", f"--arch={point['arch']}")
    said = launcher.succeed("train_subnet", "--subnet_epochs=1", *own)
    assert f"{run}/subnet_" in said
  for name, point in zip(("first", "second"), points):  # When both are there.
    own = (f"--run_dir={run}", f"--arch={point['arch']}")
    launcher.succeed("export", *own, f"--name={name}")
    card = json.loads((run / "servable" / name / "1" / "arch.json").read_text())
    assert ",".join(map(str, card["arch"])) == point["arch"]
  found = json.loads((run / "search" / "found.json").read_text())
  other = next(path for path in run.glob("subnet_*")
               if json.loads((path / "result.json").read_text())["arch"] != found["arch"])
  shutil.copytree(other, run / "subnet")  # As an earlier search leaves it.
  line = launcher.refusal(launcher.run("export", f"--run_dir={run}"))
  assert "The network found must be trained" in line
  shutil.rmtree(run / "subnet")
  launcher.succeed("report", f"--run_dir={run}")
  page, front = (run / "report.html").read_text(), _rows(run / "search" / "front.csv")
  assert page.count("trained on its own") == 2 and f"{len(front)} of them on the front" in page


def test_the_nearest_latency_is_named(table, trained):
  result = launcher.run("search", f"--run_dir={trained}", f"--latency_table={table[0]}",
                        "--max_latency=0.000001", "--max_params=3000", *launcher.SEARCH)
  line = launcher.refusal(result)
  assert "params <= 3000 and latency <= 1e-06. With params <= 3000 the least latency is " in line
