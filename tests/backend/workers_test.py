"""Two processes on loopback against one that normalises each half batch on its own."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.backend import mirrored_case
from tests.backend import processes
from tfdynnas import errors
from tfdynnas.backend import tf_config

CASES = [("worker", "plain", "five"), ("worker", "calr+ms", "five")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
  """Folders with what each of two workers left of every case."""
  folders = [tmp_path_factory.mktemp(f"worker{index}") for index in range(2)]
  processes.workers(folders, *map(",".join, CASES))
  return folders


@pytest.mark.parametrize("how, method, space", CASES)
def test_two_workers_equal_the_reference(trained, how, method, space):
  first, second = (processes.arrays(folder, how, method, space) for folder in trained)
  one, near = mirrored_case.references(method, space)
  assert set(first) == set(one)
  bound = max(np.abs(one[name] - near[name]).max() for name in one)
  assert 0 < bound < 1e-2
  for name in one:
    assert np.abs(first[name] - one[name]).max() <= bound, name
    np.testing.assert_array_equal(first[name], second[name], name)
  assert min(np.ptp(one[name]) for name in one if "momentum" in name) > 0


@pytest.mark.parametrize("text, expected", [
    ({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}, (1, 2)),
    ({"cluster": {"worker": ["10.0.0.1:65535", "[::1]:1"]},
      "task": {"type": "worker", "index": "1"}}, (1, 2)),
    ({"cluster": {"chief": ["a:1"], "worker": ["b:1", "c:1"]},
      "task": {"type": "worker", "index": 1}}, (2, 3)),
    ({"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "chief", "index": 0}},
     (0, 2)),
])
def test_tf_config_says_who_is_first(monkeypatch, text, expected):
  monkeypatch.setenv("TF_CONFIG", json.dumps(text))
  assert tf_config.read() == expected


@pytest.mark.parametrize("text", [
    "", "{", "[]", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}',
    '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
    '{"cluster": {"worker": ["a:1", "b:1"], "ps": ["c:1"]}, "task": {"type": "ps", "index": 0}}',
    '{"cluster": ["a:1", "b:1"], "task": {"type": "worker", "index": 0}}',
    "[" * 100_000,
    *[json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 0}}) for cluster in (
        {"worker": "host0:9000"}, {"worker": [1, 2]}, {"worker": ["a", "b"]}, {"worker": ["", ""]},
        {"worker": ["a:1", "a:1"]}, {"chief": ["a:1"], "worker": ["a:1"]}, {"worker": [["a:1"]]},
        {"worker": ["a:99999", "b:1"]}, {"worker": ["a:0", "b:1"]}, {"worker": ["a:٣", "b:1"]},
        {"worker": [":1", "b:1"]}, {"worker": ["a..b:1", "b:1"]}, {"worker": ["\ud800:1", "b:1"]},
        {"chief": [], "worker": ["a:1", "b:1"]}, {"chief": ["a:1", "b:1"], "worker": ["c:1"]},
        {"worker": {"0": "a:1", "1": "b:1"}}, {"worker": None})],
    *[json.dumps({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": i}})
      for i in (float("inf"), float("nan"), 0.7, 0.0, True, None, -1, "-1", "0.0", "٠", [0])],
])
def test_another_tf_config_is_refused(monkeypatch, text):
  monkeypatch.setenv("TF_CONFIG", text)
  with pytest.raises(errors.InputError, match="needs TF_CONFIG such as") as caught:
    tf_config.read()
  assert len(str(caught.value)) < 600


def test_a_watch_ends_what_hangs():
  code = (
      "import time\nfrom tfdynnas.backend.tensorflow import workers\n"
      "with workers.Watch(2):\n  pass\n"
      "watch = workers.Watch(1)\ntime.sleep(3)\nwith watch:\n  for _ in range(8):\n"
      "    watch.beat()\n    time.sleep(0.5)\n  print('here', flush=True)\n  time.sleep(60)\n"
  )
  begin = time.monotonic()
  ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
  assert ended.returncode == 1 and ended.stdout == "here\n"
  assert "within 1 s. Received: nothing" in ended.stderr.splitlines()[-1]
  assert "Timeout" not in ended.stderr and time.monotonic() - begin < 55


def test_a_watch_lets_go():
  code = (
      "import time\nfrom tfdynnas.backend.tensorflow import workers\n"
      "for seconds in (1, 1e300):\n  with workers.Watch(seconds) as watch:\n    pass\n"
      "time.sleep(2)\n"
  )
  ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
  assert ended.returncode == 0 and "All workers" not in ended.stderr, ended.stderr
