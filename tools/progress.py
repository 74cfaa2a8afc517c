"""One line of progress: rewritten in a terminal, printed now and then elsewhere."""

import time

from tfdynnas.tools import console


class Progress:
  """Shows how far a job is, how fast it goes and how long it will still take."""

  def __init__(self, name, unit, show=True):
    self._name, self._unit, self._show = name, unit, show
    self._terminal = console.is_terminal()
    self._first = self._start = None
    self._last, self._pause = 0.0, 0.0

  def __call__(self, done, total, **values):
    """Shows a state.

    Args:
      done: Steps done, those of earlier processes among them.
      total: All steps.
      **values: Numbers to show beside it.
    """
    now = time.perf_counter()
    if self._start is None:
      self._start, self._first = now, done
    pause = 0.2 if self._terminal else self._pause
    if not self._show or (now - self._last < pause and done < total):
      return
    self._last, self._pause = now, 15.0 if self._pause else 2.0  # An estimate soon, then few.
    rate = (done - self._first) / max(now - self._start, 1e-9)
    left = f"{_clock((total - done) / rate)} left" if rate else "starting"
    filled = int(24 * done / max(total, 1))
    shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
    line = (
        f"{self._name:<9} [{'=' * filled}{' ' * (24 - filled)}] {done}/{total} {self._unit}s  "
        f"{rate:.1f}/s  {left}  {shown}"
    )
    console.show(line, last=done >= total)


def of_parts(show=True):
  """Function of a part of a few-shot run, which makes its Progress."""
  return lambda part: Progress(f"part {part}", "step", show)


def _clock(seconds):
  minutes, seconds = divmod(int(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class Trials:
  """Progress of a search: the trial's objective and the best so far."""

  def __init__(self, name, show=True, objective="accuracy"):
    self._progress, self._objective, self._best = Progress(name, "trial", show), objective, 0.0

  def __call__(self, done, total, row):
    """Shows a trial; `row` is None if it was not scored."""
    values = {}
    if row:
      self._best = max(self._best, row[self._objective])
      values = {self._objective: row[self._objective], "best": self._best}
    self._progress(done, total or done, **values)
