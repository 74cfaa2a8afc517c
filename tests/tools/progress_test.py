"""The line of progress: in a terminal in place of the one before, whole lines elsewhere."""

import io
import os
import re
import sys
import termios

import pytest

from tfdynnas.tools import console
from tfdynnas.tools import progress

CODES = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture
def terminal(monkeypatch):
  """Makes a terminal of so many columns, to which `console` speaks; returns what it was sent."""
  ours, theirs = os.openpty()
  plain = termios.tcgetattr(theirs)
  plain[1] &= ~termios.OPOST  # No \r before each \n.
  termios.tcsetattr(theirs, termios.TCSANOW, plain)
  monkeypatch.setitem(console._state, "descriptor", theirs)
  monkeypatch.setitem(console._state, "open", False)

  def sent():
    os.write(theirs, b"\0")  # The end, since it comes in pieces.
    said = b""
    while not said.endswith(b"\0"):
      said += os.read(ours, 2**16)
    return CODES.sub("", said[:-1].decode())

  def made(columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    return sent

  yield made
  os.close(ours), os.close(theirs)


@pytest.fixture
def clock(monkeypatch):
  """A clock that stands at the only entry of this list."""
  now = [1000.0]
  monkeypatch.setattr("time.perf_counter", lambda: now[0])
  monkeypatch.setattr("rich.console.monotonic", lambda: now[0])
  return now


def test_a_terminal_sees_one_line_that_ends_with_the_job(terminal, clock):
  sent, show = terminal(200), progress.Progress("supernet", "step")
  for done, loss in ((500, 2.0), (550, 1.5), (600, 1.25)):
    show(done, 600, loss=loss)
    clock[0] += 10
  *before, last = sent().split("\r\x1b[K")
  assert not any("\n" in line for line in before)
  assert re.fullmatch(r"supernet  \S+ 600/600 steps  5.0/s  00:00 left  loss 1.25\n", last)
  first, second = before[1:]
  assert re.fullmatch(r"supernet  \S+ +\S* *500/600 steps  starting  --:-- left  loss 2", first)
  assert "550/600 steps  5.0/s  00:10 left" in second


@pytest.mark.parametrize("columns", [0, 1, 7, 40])
def test_a_line_is_as_wide_as_the_terminal_at_most(terminal, columns):
  sent, show = terminal(columns), progress.Progress("[b]", "step")
  show(1, 3, loss=0.5)
  whole = "[b]       ━━━━━╺━━━━━━━━━━ 1/3 steps  starting  --:-- left  loss 0.5"
  assert sent() == "\r\x1b[K" + whole[:columns].rstrip()


def test_what_is_said_begins_a_line_and_the_next_state_another(terminal):
  sent, show = terminal(80), progress.Progress("supernet", "step")
  show(1, 3)
  console.say("train_supernet.py: Interrupted.")
  assert sent().endswith("left\ntrain_supernet.py: Interrupted.\n")


def test_elsewhere_lines_are_whole_and_few_and_without_colour(tmp_path, monkeypatch, clock):
  monkeypatch.setenv("FORCE_COLOR", "1")
  with open(tmp_path / "log", "wb") as file:
    monkeypatch.setitem(console._state, "descriptor", file.fileno())
    show = progress.Progress("rank", "arch")
    for done in range(0, 41):  # A second each.
      show(done, 40, accuracy=0.123456)
      clock[0] += 1
  lines = (tmp_path / "log").read_text().splitlines()
  assert lines[0] == "rank      0/40 archs  starting  --:-- left  accuracy 0.1235"
  assert lines[1] == "rank      2/40 archs  1.0/s  00:38 left  accuracy 0.1235"
  assert [int(re.search(r"(\d+)/40", line)[1]) for line in lines] == [0, 2, 17, 32, 40]


class _Full(io.StringIO):
  """A standard error that takes nothing."""

  encoding = "ascii"

  def write(self, text):
    raise OSError("No space left")

  flush = lambda self: self.write("")


@pytest.mark.parametrize("place", ["/dev/full", None])
def test_a_stream_that_is_full_or_closed_ends_nothing(monkeypatch, place):
  monkeypatch.setattr(sys, "stderr", _Full())
  descriptor = os.open(place or os.devnull, os.O_WRONLY)
  monkeypatch.setitem(console._state, "descriptor", descriptor)
  if place is None:
    os.close(descriptor)
  progress.Progress("rank", "arch")(1, 2)
  if place:
    os.close(descriptor)


def test_nothing_is_shown_where_nothing_is_wanted(terminal):
  sent = terminal(80)
  progress.Progress("rank", "arch", show=False)(1, 2)
  console.show("end")
  assert sent() == "\r\x1b[Kend\n"
