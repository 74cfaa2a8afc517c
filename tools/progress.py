"""One line of progress: rewritten in a terminal, printed from time to time elsewhere."""

import io
import sys
import time

from tfdynnas.tools import console

_MEMORY = 3600.0  # Seconds that the speed is averaged over: a step may take minutes.
_LONG = 1000  # Columns, more than any line has.


class Progress:
  """Shows the progress of a job, its speed and the remaining time."""

  def __init__(self, name, unit, show=True):
    self._name, self._unit, self._show = name, unit, show
    self._terminal, self._line = console.is_terminal(), None
    self._last, self._pause = 0.0, 0.0

  def __call__(self, done, total, **values):
    """Shows a state.

    Args:
      done: Steps done, including those of earlier processes.
      total: All steps.
      **values: Numbers to show beside it.
    """
    now = time.perf_counter()
    pause = 0.2 if self._terminal else self._pause
    if not self._show or (now - self._last < pause and done < total):
      return
    self._last, self._pause = now, 15.0 if self._pause else 2.0  # An estimate soon, then few.
    if self._line is None:
      self._line = _Line(self._name, self._unit, self._terminal, done, total)
    console.show(self._line.draw(done, total, values), last=done >= total)


class _Line:
  """A line of progress, formatted by rich.

  `console` writes it, not rich's live display, which hides the cursor, also after a killed process,
  and takes locks that a signal would wait for.
  """

  def __init__(self, name, unit, terminal, done, total):
    import rich.console
    from rich import progress

    def column(text):
      return progress.TextColumn(text, markup=False)

    # Not stderr, which rich would flush, and which may be full.
    nobody = io.TextIOWrapper(io.BytesIO(), sys.stderr.encoding)
    self._console = rich.console.Console(
        file=nobody, force_terminal=terminal, width=None if terminal else _LONG)
    self._progress = progress.Progress(
        column("{task.description:<9}"), *([progress.BarColumn(16)] if terminal else []),
        column("{task.completed}/{task.total} {task.fields[unit]}s "),
        column("{task.fields[rate]} "), progress.TimeRemainingColumn(compact=True),
        column("left "), column("{task.fields[values]}"),
        console=self._console, auto_refresh=False, speed_estimate_period=_MEMORY,
    )
    self._task = self._progress.add_task(
        name, total=total, completed=done, unit=unit, rate="", values="")
    self._progress.advance(self._task, 0)  # The speed is counted from here.

  def draw(self, done, total, values):
    """The line of a state, str, cut at the width of a terminal."""
    from rich import segment

    shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
    self._progress.update(self._task, completed=done, total=total, values=shown)
    speed = self._progress.tasks[0].speed
    self._progress.update(self._task, rate=f"{speed:.1f}/s" if speed else "starting")
    row = self._progress.make_tasks_table(self._progress.tasks)
    (whole,) = self._console.render_lines(row, self._console.options.update(width=_LONG), pad=False)
    line = segment.Segment.adjust_line_length(whole, self._console.width, pad=False)
    with self._console.capture() as capture:
      self._console.print(segment.Segments(line), end="")
    return capture.get().rstrip()


def of_parts(show=True):
  """Function that makes the Progress of a part of a few-shot run."""
  return lambda part: Progress(f"part {part}", "step", show)


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
