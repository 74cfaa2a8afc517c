"""Latency tables: each piece of a space timed on this machine, and a test of the sums."""

import functools
import json
import pathlib
import platform
import time

import keras
import numpy as np

from tfdynnas import analysis
from tfdynnas import errors
from tfdynnas.files import atomic
from tfdynnas.files import identity as identity_lib
from tfdynnas.files import json_schema
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import runtimes
from tfdynnas.spaces import costs
from tfdynnas.spaces import limits
from tfdynnas.supernet import pieces as pieces_lib

FITTED = 8  # Whole subnets from which the fixed part is fitted.
_TIME = json_schema.Number(1e-9)  # Milliseconds of a call, always above 0.
# Schema of a table, of a check, and of an unfinished one.
_MEASURED = {
    "measured": {str: dict.fromkeys(("median", "low", "high"), _TIME)},
    "archs?": [{"arch": [json_schema.COUNT], "measured": _TIME, "predicted": json_schema.POSITIVE}],
    "kendall?": (json_schema.CORRELATION, None), "spearman?": (json_schema.CORRELATION, None),
    **dict.fromkeys(("relative_error?", "ratio?"),
                    dict.fromkeys(("median", "low", "high"), json_schema.POSITIVE)),
    "fixed?": json_schema.POSITIVE, "rows?": [[json_schema.POSITIVE]],
}


def measure_latency(space, path, config, progress=lambda done, total: None,
                    clock=time.perf_counter):
  """Measures the latency table of a space, or resumes; a complete table is only read.

  Args:
    space: spaces.CellSpace or spaces.LayerSpace.
    path: File of the table, JSON; until it is complete, its measurements are in `PATH.begun`.
    config: config.LatencyConfig.
    progress: Callable (done, total), called after each piece.
    clock: Callable that returns seconds.

  Returns:
    dict: `space`, `settings`, `machine`, `versions`; `measured`, name -> {"median", "low", "high"},
    milliseconds, quartiles over the calls; `fixed` and `rows`, as of `table`.

  Raises:
    InputError: The file is of another space, other settings, another machine or other versions, or
      the runtime is not there.
  """
  runtimes.check(config)
  pieces, whole = pieces_lib.of(space), fitted(space)
  models = {**pieces.empty, **{name: piece.make for name, piece in pieces.pieces.items()},
            **{name: functools.partial(pieces.whole, arch) for name, arch in whole.items()}}
  log = _Log(path, _identity(space, config))
  for done, (name, make) in enumerate(models.items(), 1):
    log.take(name, lambda: _time_model(make(), config, clock))
    progress(done, len(models))
  medians = {name: times["median"] for name, times in log.values.items()}
  return log.close(table(space, pieces, medians, whole))


def fitted(space):
  """The subnets that are measured whole for a table: dict of name -> arch, FITTED at most."""
  rng, drawn = np.random.default_rng([0, FITTED]), limits.LimitedSpace(space, connected=True)
  archs = {drawn.sample(rng) for _ in range(FITTED)}
  return {f"#{space.index(arch)}": arch for arch in sorted(archs)}


def table(space, pieces, medians, whole):
  """The latency of each choice, and the rest of a network, fitted.

  Args:
    space: spaces.Space.
    pieces: supernet.pieces.Pieces.
    medians: dict, name of a piece or of a whole subnet -> milliseconds of a call of its model.
    whole: dict, name -> arch, as of `fitted`.

  Returns:
    dict, milliseconds: `rows`, a list per decision of a number per choice; `fixed`, the median of
    what whole subnets take beyond their choices.
  """
  own = {
      name: max(medians[name] - medians[piece.empty], 0.0) / piece.times
      for name, piece in pieces.pieces.items()
  }
  rows = [[sum(count * own[name] for name, count in uses.items()) for uses in row]
          for row in pieces.rows]
  choices = costs.with_latency(space, 0.0, rows)
  rest = [medians[name] - choices.cost(arch, "latency") for name, arch in whole.items()]
  return {"fixed": max(float(np.median(rest)), 0.0), "rows": rows}


def check_latency(space, path, config, progress=lambda done, total: None,
                  clock=time.perf_counter):
  """Measures whole random subnets, and compares them with the predictions of a table.

  Args:
    space: spaces.CellSpace or spaces.LayerSpace.
    path: File of the table; the comparison is written beside it, as `NAME.check.json`.
    config: config.LatencyConfig; `check` archs, >= 2.
    progress: Callable (done, total), called after each arch.
    clock: Callable that returns seconds.

  Returns:
    dict: `archs`, list of {"arch", "measured", "predicted"}, milliseconds; `kendall`, `spearman`;
    `relative_error`, quartiles of |predicted - measured| / measured; `ratio`, quartiles of
    predicted / measured.

  Raises:
    InputError: The table is missing, or a file is of another space, other settings or archs,
      another machine or table, or other versions.
  """
  runtimes.check(config)
  path = pathlib.Path(path)
  known = costs.read_latency(space, path)
  rng = np.random.default_rng(config.check_seed)
  archs = [space.sample(rng) for _ in range(config.check)]
  identity = _identity(space, config)
  identity["settings"] |= {"check": config.check, "check_seed": config.check_seed,
                           "table": costs.describe(known)["costs"]["latency"]}
  log, whole = _Log(path.with_name(f"{path.stem}.check.json"), identity), pieces_lib.of(space).whole
  for done, arch in enumerate(archs, 1):
    log.take(space.format(arch), lambda: _time_model(whole(arch), config, clock))
    progress(done, len(archs))
  measured = [log.values[space.format(arch)]["median"] for arch in archs]
  predicted = [known.cost(arch, "latency") for arch in archs]
  rows = [{"arch": list(arch), "measured": real, "predicted": told}
          for arch, real, told in zip(archs, measured, predicted)]
  return log.close({"archs": rows, **compare(measured, predicted)})


def compare(measured, predicted):
  """Compares predictions with measurements; the numbers are those of `check_latency`.

  Args:
    measured: Milliseconds [n], > 0.
    predicted: Milliseconds [n].
  """
  measured, predicted = np.asarray(measured), np.asarray(predicted)
  numbers = {"kendall": analysis.kendall(measured, predicted),
             "spearman": analysis.spearman(measured, predicted)}
  return {
      **{name: value if np.isfinite(value) else None for name, value in numbers.items()},
      "relative_error": spread(np.abs(predicted - measured) / measured),
      "ratio": spread(predicted / measured),
  }


def spread(values):
  """dict: median, lower and upper quartile of numbers."""
  low, median, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
  return {"median": median, "low": low, "high": high}


def _identity(space, config):
  """All that a measurement depends on, as JSON values."""
  return {
      "space": costs.describe(space),
      "settings": {"batch": config.latency_batch, "warmup": config.warmup,
                   "repeats": config.repeats, "threads": config.threads or 0,
                   "runtime": config.runtime or keras.backend.backend(),
                   "quantize": config.value("quantize")},
      "machine": {
          "processor": _processor(), "processors": runtimes.processors(),
          "devices": ",".join(keras.distribution.list_devices()),
          "backend": keras.backend.backend(),
      },
      "versions": run_directory.versions(),
  }


def _processor():
  """Name of the processor."""
  try:
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
  except OSError:
    lines = []
  names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
  return names[0] if names else platform.processor() or platform.machine()


def _time_model(model, config, clock):
  """Quartiles of the milliseconds of a call on random images."""
  seconds = []
  with runtimes.opened(model, config) as call:
    for _ in range(config.warmup):
      call()
    for _ in range(config.repeats):
      start = clock()
      call()
      seconds.append(clock() - start)
  return spread([1000 * second for second in seconds])


class _Log:
  """A log of measurements, kept as they are made: a killed measurement is resumed.

  Attributes:
    values: dict, name -> measurement.
  """

  def __init__(self, path, identity):
    self._path, self._identity = pathlib.Path(path), identity
    self._begun = self._path.with_name(f"{self._path.name}.begun")
    self.values, self._whole = {}, None
    for place in (self._path, self._begun):
      if place.exists():
        there = self._read(place)
        self._whole = there if place == self._path else None
        self.values = there["measured"]
        break

  def _read(self, place):
    try:
      there = json_schema.read(place, {**dict.fromkeys(self._identity, dict), **_MEASURED})
    except errors.InputError as error:
      raise errors.InputError(f"{place} must be a measurement, whole: {error}") from error
    rule = f"{place} must be of the same settings; delete it to measure anew"
    identity_lib.refuse_other(rule, {part: there[part] for part in self._identity}, self._identity)
    return there

  def take(self, name, measure):
    """Measures and keeps a value, unless it is there."""
    if name not in self.values:
      self.values[name], self._whole = measure(), None
      values = {**self._identity, "measured": self.values}
      atomic.write_text(self._begun, json.dumps(values), sync=False)

  def close(self, results):
    """Writes the complete file with its results, unless it is there; returns its content."""
    if self._whole is None:
      self._whole = {**self._identity, "measured": self.values, **results}
      atomic.write_text(self._path, json.dumps(self._whole, indent=1, allow_nan=False) + "\n")
    self._begun.unlink(missing_ok=True)
    return self._whole
