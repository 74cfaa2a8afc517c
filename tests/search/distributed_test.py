"""A search by a chief and workers on loopback, killed and lost, against that of one process."""

import json
import pathlib
import socket
import time

import pytest

from tests.search import distributed_case
from tests.tools import forked
from tfdynnas import errors
from tfdynnas import search
from tfdynnas import spaces
from tfdynnas.backend import tf_config
from tfdynnas.search import oracle as oracle_lib
from tfdynnas.search.distributed import roles

CASE = pathlib.Path(__file__).with_name("distributed_case.py")


def _begin(folder, *seconds):
  return forked.Process([str(CASE), str(folder), *map(str, seconds)])


@pytest.fixture
def start(tmp_path):
  """Function that starts a process of a search; all are ended with the test."""
  with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
  processes = []

  def begin(name, lost=20, trial=0.05, folder=tmp_path, first=120):
    with pytest.MonkeyPatch.context() as patch:
      for variable, value in zip(roles.VARIABLES, (name, "127.0.0.1", str(port))):
        patch.setenv(variable, value)
      processes.append(_begin(folder, lost, trial, first))
    return processes[-1]

  yield begin
  for process in processes:
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
  """What one process finds."""
  return _history(_begin(tmp_path_factory.mktemp("alone"), 1, 0, 1))


def _wait(process, until):
  """Waits until something is so; else says what the process has printed."""
  end = time.monotonic() + 120
  while not until():
    assert time.monotonic() < end, process.printed()
    time.sleep(0.02)


def _wait_for_trials(process, count):
  """Waits until a process has begun some trials."""
  def begun():
    assert process.poll() is None, process.communicate()
    return process.printed().count("scores\n") >= count

  _wait(process, begun)


def _history(process):
  _wait(process, lambda: process.poll() is not None)
  out, err = process.communicate()
  assert process.returncode == 0, err
  return json.loads(out.splitlines()[-1])


def _line(process):
  """The one line of a process that ended with an error."""
  _wait(process, lambda: process.poll() is not None)
  _, err = process.communicate()
  assert process.returncode == 1 and len(err.splitlines()) == 1, err
  return err


def _kill(process):
  process.kill()
  process.wait()


def test_killed_and_restarted_workers_find_what_one_process_finds(alone, start, tmp_path):
  assert len(alone) == 30 and alone[0]["accuracy"] * 255 == round(alone[0]["accuracy"] * 255)
  chief, one, two = start("chief"), start("one", trial=0.3), start("two", trial=0.3)
  _wait_for_trials(two, 3)
  _kill(two)
  two = start("two")
  assert _history(chief) == alone
  assert _history(one) == _history(two) == []
  assert json.loads((tmp_path / "p" / "tuner0.json").read_text())["chief"]
  assert _history(start("late")) == [] and _history(start("chief")) == alone  # It has ended.


def test_the_trial_of_a_lost_worker_is_given_to_another(alone, start, tmp_path):
  chief, one = start("chief", lost=4), start("one", lost=4, trial=100)
  _wait_for_trials(one, 1)
  begin = time.monotonic()
  two = start("two", lost=4, trial=0)
  time.sleep(6)  # Longer than a lost one is silent: it says that it is alive.
  assert two.poll() is None
  _kill(one)
  assert _history(chief) == alone
  assert _history(two) == [] and 4 < time.monotonic() - begin < 60


def test_a_lost_chief_ends_the_workers_and_the_search_goes_on(alone, start, tmp_path):
  chief, one = start("chief", lost=3), start("one", lost=3)
  _wait_for_trials(one, 4)
  _kill(chief)
  begin = time.monotonic()
  assert "must answer within 3 s" in _line(one) and time.monotonic() - begin < 15
  there = len(list((tmp_path / "p").glob("trial_*")))
  assert 3 <= there < 30
  chief, one = start("chief"), start("one")
  assert _history(chief) == alone and _history(one) == []


def test_lost_workers_end_the_chief_and_the_search_goes_on(alone, start):
  chief, one = start("chief", lost=3), start("one", lost=3)
  _wait_for_trials(one, 4)
  _kill(one)
  begin = time.monotonic()
  assert "A worker must ask" in _line(chief) and 2 < time.monotonic() - begin < 15
  chief, one = start("chief"), start("one")
  assert _history(chief) == alone and _history(one) == []


def test_a_chief_that_comes_again_is_found(alone, start, tmp_path):
  chief, one = start("chief"), start("one")
  _wait_for_trials(one, 4)
  _kill(chief)
  assert _history(start("chief")) == alone and _history(one) == []


def test_a_chief_without_workers_and_a_worker_of_another_end(start, tmp_path):
  chief = start("chief")
  assert "must work in" in _line(start("one", folder=tmp_path / "other"))
  assert "must be free" in _line(start("chief 2", folder=tmp_path / "other"))
  _kill(chief)
  assert "A worker must ask" in _line(start("chief", first=1))
  assert "must answer within 1 s" in _line(start("one", first=1))


def test_roles_by_environment(monkeypatch):
  for name in roles.VARIABLES:
    monkeypatch.delenv(name, raising=False)
  assert roles.role() == "alone"
  monkeypatch.setenv(roles.VARIABLES[0], "w1")
  with pytest.raises(errors.InputError, match="KERASTUNER_ORACLE_PORT.*Received: .*TUNER_ID=w1"):
    roles.role()
  monkeypatch.setenv(roles.VARIABLES[1], "127.0.0.1")
  monkeypatch.setenv(roles.VARIABLES[2], "8000")
  assert roles.role() == "worker" and roles.address() == ("127.0.0.1", 8000)
  monkeypatch.setenv(roles.VARIABLES[0], "my chief")
  assert roles.role() == "chief"


@pytest.mark.parametrize("name", ["chief", "one"])
@pytest.mark.parametrize("host, port", [
    *[("127.0.0.1", port) for port in ("x", "٣٣٣٣", "0", "-1", "1.5", "99999", "65536", "9" * 30)],
    *[(host, "8000") for host in ("é..x", "a..b", ".", "a" * 70, "a b", "http://a", "\udcff")],
])
def test_what_is_no_address_is_refused(monkeypatch, name, host, port):
  for variable, value in zip(roles.VARIABLES, (name, host, port)):
    monkeypatch.setenv(variable, value)
  with pytest.raises(errors.InputError, match="a port in 1..65535. Received: .*_PORT="):
    roles.role()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "a" * 63, "a-1.b_2.c.", "[::1]"])
@pytest.mark.parametrize("port", ["1", "65535"])
def test_addresses(host, port):
  assert tf_config.is_address(f"{host}:{port}")


@pytest.mark.parametrize("text", [
    "", "a", ":1", "a:0", "a:65536", "a:b:1", "::1:80", "[[[:1", "a..b:1", "a b:1", "a:1 "])
def test_what_is_no_address(text):
  assert not tf_config.is_address(text)


def test_the_end_of_the_serving_thread_is_heard(monkeypatch, tmp_path):
  with socket.create_server(("127.0.0.1", 0)) as used:  # Since the chief looked.
    for name, value in zip(roles.VARIABLES, ("chief", "127.0.0.1", str(used.getsockname()[1]))):
      monkeypatch.setenv(name, value)
    monkeypatch.setattr(roles, "refuse_used_address", lambda: None)
    tuner = distributed_case.make_tuner(tmp_path, 20, 20)
    with pytest.raises(errors.InputError, match="must be free.*Failed to bind"):
      tuner.search()


def test_a_chief_of_an_ended_search_waits_for_nobody(monkeypatch, tmp_path):
  """As of one that ran out of archs before it had all its trials."""
  with socket.create_server(("127.0.0.1", 0)) as free:
    port = str(free.getsockname()[1])
  for name, value in zip(roles.VARIABLES, ("chief", "127.0.0.1", port)):
    monkeypatch.setenv(name, value)
  ended = distributed_case.make_tuner(tmp_path, 20, 1)
  ended.ended = ended.oracle.max_trials
  ended.save()
  # Else it would be without workers in a second.
  distributed_case.make_tuner(tmp_path, 20, 1).search()


def _oracle(folder):
  oracle = oracle_lib.EvolutionOracle(
      spaces.nasbench201(), settings=search.Settings(2, 0, 1, 0, 0), seed=0)
  oracle._set_project_dir(folder, "p")
  oracle.verbose = 0
  return oracle


def test_late_reports_change_nothing(tmp_path):
  oracle = _oracle(tmp_path)
  oracle.lost_seconds = -1  # Everybody else is lost at once.
  slow = oracle.create_trial("slow")
  quick = oracle.create_trial("quick")
  assert slow.trial_id == quick.trial_id == "0"
  for accuracy in (0.25, 0.75):
    oracle.update_trial("0", {"accuracy": accuracy})
    quick.status = "COMPLETED"
    oracle.end_trial(quick)
  assert oracle.trials["0"].score == 0.25 and oracle.end_order == ["0"]
  assert oracle.create_trial("quick").trial_id == "1"
  assert oracle.create_trial("quick").trial_id == "1"


def test_the_end_is_told_when_no_trial_runs(tmp_path):
  oracle = _oracle(tmp_path)
  trials = [oracle.create_trial(worker) for worker in ("one", "two")]
  assert oracle.create_trial("three").status == "IDLE" and not oracle.stopped
  for trial in trials:
    oracle.update_trial(trial.trial_id, {"accuracy": 0.5})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
  assert oracle.create_trial("three").status == "STOPPED" and oracle.stopped
  assert oracle.tuner_ids == {"one", "two"}
