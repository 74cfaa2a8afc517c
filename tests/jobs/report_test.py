"""The report of a run: complete, of parts, and in a real browser with every figure in it."""

import csv
import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from tfdynnas import analysis
from tfdynnas import class_accuracy
from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs
from tfdynnas import spaces
from tfdynnas.jobs import rank

pytest.importorskip("matplotlib", reason="needs matplotlib")
SPACE = spaces.nasbench201(channels=2, cells=1, image_size=8)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
COUNT = """<script>addEventListener("load", () => {
  const images = [...document.images];
  document.body.dataset.images = images.length;
  document.body.dataset.seen = images.filter((i) => i.naturalWidth > 0 && i.alt).length;
  document.body.dataset.wide = document.documentElement.scrollWidth;
});</script></body>"""


def _claimed(folder, **space):
  """A run of which nothing is there but what it is."""
  run_dir = jobs.RunDir(folder, create=True)
  run_dir.claim({
      "data": config.DataConfig(dataset="digits").as_dict(),
      "images": {"fingerprint": "aa", "image_shape": [8, 8, 3], "classes": 10,
                 "sizes": {"train": 898, "valid": 540, "test": 359}},
      "space": config.SpaceConfig(**(space or {"channels": 2, "cells": 1})).as_dict(),
      "supernet": config.SupernetConfig(epochs=3).as_dict(), "devices": {"replicas": 1},
  }, "")
  return run_dir


def _write_csv(path, rows):
  path.parent.mkdir(parents=True, exist_ok=True)
  with open(path, "w", newline="", encoding="utf-8") as file:
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)


def _probe(step, archs):
  row = {"complexity": 2000.0, "accuracy": 0.4 + step / 100, "loss": 1.5, "learning_rate": 0.01}
  return {
      "epoch": step // 10, "step": step,
      "archs": [{"index": SPACE.index(a), "class": 0, **row, "accuracy": (n * step) % 7 / 10}
                for n, a in enumerate(archs)],
      "classes": [{"class": own, "archs": 5, **row} for own in range(4)],
      "cosines": {"within": 0.3, "across": 0.1},
      "momentum": {"own": 0.2, "other": 0.1, "mean": 0.15},
  }


def _fill(run_dir):
  """All that the jobs of a run leave and a report reads."""
  path, rng = run_dir.path, np.random.default_rng(0)
  archs = [SPACE.sample(rng) for _ in range(12)]
  _write_csv(path / "supernet" / "log.csv", [
      {"epoch": n, "step": 10 * n, "loss": 2 / n, "accuracy": n / 5, "data_wait": n / 100}
      for n in (1, 2, 3)])
  run_dir.write_json("supernet/method.json", {
      "steps": 30, "groups": 5, "split_decision": 2, "split_decision_name": "2<-1"})
  lines = [json.dumps(_probe(step, archs)) + "\n" for step in (10, 20, 30)]
  (path / "supernet" / "probes.jsonl").write_text("".join(lines))
  costs = [{kind: SPACE.cost(arch, kind) for kind in spaces.COSTS} for arch in archs]
  rows = [{"index": SPACE.index(a), "string": SPACE.format(a), "accuracy": rng.random(),
           "loss": 1.0, "truth": None if n == 3 else 90 * rng.random(), **cost}
          for n, (a, cost) in enumerate(zip(archs, costs))]
  _write_csv(path / "rank" / "ranking.csv", rows)
  known = [row for row in rows if row["truth"] is not None]
  found = jobs.rank.analysis.statistics(
      [100 * row["accuracy"] for row in known], [row["truth"] for row in known],
      {kind: [row[kind] for row in known] for kind in spaces.COSTS}, (10, 10), resamples=10)
  run_dir.write_json("rank/statistics.json", {
      "ranked": {"archs": "sample:12", "count": 12}, **found, "definitions": rank.OURS})
  trials = [{"trial": n, "accuracy": 0.5 + n / 50, "loss": 1.0, "string": SPACE.format(a), "params":
             cost["params"], "macs": cost["macs"]} for n, (a, cost) in enumerate(zip(archs, costs))]
  _write_csv(path / "search" / "trials.csv", trials)
  run_dir.write_json("search/found.json", {**trials[-1], "arch": list(archs[-1]), "trials": 12})
  run_dir.write_json("search/recalibrated.json", {
      "arch": list(archs[-1]), "accuracy": 0.375, "images": 2000, "seconds": 1.25})
  run_dir.write_json("subnet/result.json", {
      "arch": list(archs[0]), "string": SPACE.format(archs[0]), "part": "test",
      # Worst first, and without the class that has no image: b 3 of 5, a 15 of 15.
      **class_accuracy.summary([15, 3, 0], [15, 5, 0]), "class_names": ["a", "b", "c"], **costs[0]})
  found, *others = [
      {"arch": list(archs[n]), "string": SPACE.format(archs[n]), "accuracy": accuracy,
       "part": "test", **costs[n]} for n, accuracy in ((-1, 0.875), (1, 0.75), (2, 0.9375))]
  run_dir.write_json("baselines.json", {
      "found": found, "randoms": others[:1], "largest": others[1]})


@pytest.fixture(scope="module")
def page(tmp_path_factory):
  """The report of a run that has everything, with a benchmark table."""
  folder = tmp_path_factory.mktemp("report")
  run_dir = _claimed(folder / "run")
  _fill(run_dir)
  table = folder / "table.npz"
  np.savez(table, digits_test=np.random.default_rng(1).uniform(0, 100, 15625))
  return jobs.run_report(run_dir, config.TruthConfig(table=str(table)))


def test_everything_is_in_the_page_and_nothing_outside_of_it(page):
  text = page.read_text()
  assert text.count("<img") == 12 and text.count("alt=") == 12 and 'class="missing"' not in text
  for words in ("12 trials", "Kendall&#39;s tau-b of the 12 probed archs", "30 of 30 steps",
                "; 3% of the last epoch waiting for data",
                "3 epochs of spos", "own definition", 
                "90.00 % on test images (balanced 80.00 %, the most frequent class alone 75.00 %)",
                "by class, worst first", "60.00",
                "72.00 % with inherited weights",
                "37.50 % by running statistics of 2,000 training images, which took 1.2 s",
                "tau-b(complexity, truth)",
                "digits: 898 train, 540 valid, 359 test; 8x8x3", "5 momentum groups by decision",
                "2 of 3 on test images; 1 random of at most its cost: 0.7500 to 0.7500",
                "the largest within the limits: 0.9375", "gamma_max"):
    assert words in text, words
  assert not re.findall(r"(?:src|href)=\"(?!data:)", text) and "url(" not in text
  assert page.stat().st_size < 2_000_000


def test_a_run_of_which_nothing_is_there_says_which_commands_make_it(tmp_path):
  run_dir = _claimed(tmp_path / "a run")
  text = html.unescape(jobs.run_report(run_dir).read_text())
  assert "<img" not in text and text.count('class="missing"') == 8
  given = f"'--flagfile={run_dir.path}/flags.cfg' '--run_dir={run_dir.path}"
  for command in (f"train_supernet.py {given}'", f"train_supernet.py {given}_probed' --probe_ep",
                  f"rank.py {given}' --table", f"search.py {given}'",
                  f"report.py {given}' --table=TABLE.npz", f"nas.py {given}' --baselines=8"):
    assert f"tools/{command}" in text, command


def test_a_table_of_another_space_is_refused_before_archs_are_listed(tmp_path):
  truth = np.linspace(10, 90, SPACE.size)
  analysis.save_table(tmp_path / "t.npz", "nasbench201", {("digits", "test", 200): truth})
  run_dir = _claimed(tmp_path / "run", space="mobilenet")
  with pytest.raises(errors.InputError, match="must be of the run's space, mobilenet with .*15625"):
    jobs.run_report(run_dir, config.TruthConfig(table=str(tmp_path / "t.npz")))
  assert not (run_dir.path / "report.html").exists()


def test_a_few_shot_run_shows_its_parts(tmp_path):
  run_dir = _claimed(tmp_path)
  config_of = run_dir.config()
  run_dir.write_json("config.json", {**config_of, "few_shot": {
      "few_shot_decision": 0, "few_shot_groups": "0,1;2,3,4", "init_from": ""}})
  for part in range(2):
    _write_csv(tmp_path / "supernet" / f"part_{part}" / "log.csv", [
        {"epoch": 1, "step": 10 + part, "loss": 2, "accuracy": 0.2}])
    (tmp_path / "supernet" / f"part_{part}" / "probes.jsonl").write_text("\n".join(
        json.dumps(_probe(step, [(part, 1, 2, 3, 0, 1)])) for step in (10, 20)))
    run_dir.write_json(f"supernet/part_{part}/method.json", {
        "steps": 20, "groups": 1, "split_decision_name": "1<-0"})
  text = jobs.run_report(run_dir).read_text()
  assert text.count("<img") == 2 + 2 * 5 and "quarter of the archs of a part" in text
  assert all(text.count(f", part {part}.") == 5 for part in range(2))
  assert "10 of 20 steps; 1 momentum group" in text and "11 of 20 steps" in text


def test_a_report_leaves_the_run_to_others(tmp_path):
  held = _claimed(tmp_path)  # As a training in another process holds it.
  with pytest.raises(errors.InputError, match="in use"):
    jobs.RunDir(tmp_path)
  assert jobs.run_report(jobs.RunDir(tmp_path, locked=False)).exists()
  held.close()


@pytest.mark.parametrize("name, content, message", [
    ("supernet/log.csv", b"epoch,step\n1,10\n", "row 1.loss=None"),
    ("supernet/log.csv", b"step,loss,accuracy\nx,y,z\n", "'x'"),
    ("supernet/log.csv", b"step,loss,accuracy\nnan,1,1\n", "row 1.step='nan'"),
    ("supernet/log.csv", b"\0\xff", "decode"),
    ("supernet/method.json", b"[]", r"Received: \[\]"),
    ("search/found.json", b"{", "whole JSON"),
    ("search/found.json", b'{"a":1}', "arch"),
    ("supernet/log.csv", b"step,loss,accuracy\n1,1,7.5\n", "accuracy=7.5"),
    ("rank/ranking.csv", b"accuracy,truth,complexity\n1,101,1\n", "truth=101"),
    ("search/recalibrated.json", b"[]", r"Received: \[\]"),
    ("search/trials.csv", b"trial,accuracy,params,macs,string\n1,x,1,1,a\n", "'x'"),
    ("search/trials.csv", b"trial,accuracy,params,macs,string\n1,0.1,1,,a\n", "row 1.macs=None"),
    ("rank/statistics.json", b'{"tau_b": 3}', "Received: ranked=None"),
    ("rank/statistics.json", b"[1]", r"Received: \[1\]"),
    ("rank/ranking.csv", b"accuracy,truth\n1,1\n", "row 1.complexity=None"),
    ("subnet/result.json", b"[1]", r"Received: \[1\]"),
    ("supernet/probes.jsonl", b"{}\n", r"\[0\].step=None"),
    ("supernet/probes.jsonl", b'{"step": 1}\n', r"\[0\].archs"),
])
def test_a_damaged_file_is_named(tmp_path, name, content, message):
  run_dir = _claimed(tmp_path)
  _fill(run_dir)
  (tmp_path / name).write_bytes(content)
  with pytest.raises(errors.InputError, match=message) as error:
    jobs.run_report(run_dir)
  assert name in str(error.value) and not (tmp_path / "report.html").exists()


def test_a_run_of_before_some_settings_were_there_and_a_ranking_cut_short_have_a_report(tmp_path):
  run_dir = _claimed(tmp_path)
  _fill(run_dir)
  config_of = run_dir.config()
  del config_of["supernet"]["method"], config_of["space"]["width"], config_of["data"]["crop"]
  run_dir.write_json("config.json", config_of)
  (tmp_path / "rank" / "statistics.json").unlink()  # It is written after the rows.
  text = html.unescape(jobs.run_report(run_dir).read_text())
  assert "3 epochs of spos" in text and "No ranking yet" in text


@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_shows_every_figure(page, tmp_path, width):
  browser = next(filter(None, map(shutil.which, BROWSERS)), None)
  if browser is None:
    pytest.skip("needs a browser: Debian's package chromium")
  copy = tmp_path / "copy.html"
  copy.write_text(page.read_text().replace("</body>", COUNT))
  done = subprocess.run(
      [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/user",
       f"--window-size={width},900", "--virtual-time-budget=10000", "--dump-dom", copy.as_uri()],
      capture_output=True, text=True, timeout=120)
  found = dict(re.findall(r'data-(images|seen|wide)="(\d+)"', done.stdout))
  assert found.get("images") == found.get("seen") == "12", done.stderr[-2000:]
  assert int(found["wide"]) <= width  # What is wider scrolls by itself.
