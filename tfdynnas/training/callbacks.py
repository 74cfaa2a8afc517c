"""Keras callbacks of a training: checkpoints, the log, progress, and the stop at a loss of NaN."""

import json
import math
import time

import keras
import numpy as np

from tfdynnas import errors
from tfdynnas.backend import current
from tfdynnas.files import atomic
from tfdynnas.files import csv_file
from tfdynnas.files import journal
from tfdynnas.files import json_schema
from tfdynnas.training import checkpoint
from tfdynnas.training.probes import probe as probe_lib


def state(model):
  """State of a training: dict, name -> variable, of model, optimizer and metrics.

  Names are numbered: Keras lets variables share a name, as an optimizer's slots often do, and the
  numbers in names of slots depend on what was made before.
  """
  found = weights(model)
  optimizer = model.optimizer  # What `tell` sets comes last; each step sets it anew.
  kept = optimizer.variables[:len(optimizer.variables) - len(getattr(optimizer, "told", ()))]
  found.update((f"optimizer/{i}", v) for i, v in enumerate(kept))
  for metric in model.metrics:
    found.update((f"metric/{metric.name}/{i}", v) for i, v in enumerate(metric.variables))
  return found


def weights(model):
  """The model's own variables in `state`: dict, name -> variable."""
  return {f"model/{i}/{v.name}": v for i, v in enumerate(model.variables)}


def _diverged(what, received):
  return errors.DivergedError(
      f"The {what} must stay finite. Received: {received}. The last checkpoint, if there is one, "
      "is whole; try a smaller learning rate in another run directory"
  )


class Checkpoints(keras.callbacks.Callback):
  """Writes the state every `every` steps and at the end of an epoch, with the log's rows in it."""

  def __init__(self, path, every, steps_per_epoch, log, identity):
    super().__init__()
    self._path, self._every, self._steps_per_epoch = path, every, steps_per_epoch
    self._log, self._identity = log, identity
    self._metrics = None

  def resume_within_epoch(self, model):
    """Keeps the metrics of a half-done epoch, which Keras resets at its beginning."""
    self._metrics = [(v, keras.ops.convert_to_numpy(v)) for m in model.metrics for v in m.variables]

  def on_epoch_begin(self, epoch, logs=None):
    """Restores the metrics of a half-done epoch."""
    for variable, value in self._metrics or ():
      variable.assign(value)
    self._metrics = None

  def on_train_batch_end(self, batch, logs=None):
    """Writes when due; not at the end of an epoch, before the log has its row."""
    step = self._log.step
    if step % self._every == 0 and step % self._steps_per_epoch:
      self.write()

  def write(self):
    """Writes the state as it is now.

    Raises:
      DivergedError: The state is not finite, which the loss of the next steps may not show.
    """
    arrays = {k: keras.ops.convert_to_numpy(v) for k, v in state(self.model).items()}
    for name, value in arrays.items():
      if not np.isfinite(value).all():
        raise _diverged("weights", f"NaN or infinity in {name} after step {self._log.step - 1}")
    record = {"step": self._log.step, "rows": self._log.rows, "identity": self._identity}
    if current.share()[0] == 0:  # All workers read, which sums their separate counts.
      checkpoint.save(self._path, arrays, record)


class Log(keras.callbacks.Callback):
  """Counts steps, stops at a loss that is not a number, and writes one CSV row per epoch.

  Attributes:
    step: int, steps done.
    steps: int, steps of the whole training.
    rows: list of dicts, one per epoch done.
    waited: Callable, () -> seconds spent waiting for data so far.
  """

  def __init__(self, path, step, rows, epochs, steps_per_epoch, progress):
    super().__init__()
    self.step, self.rows = step, list(rows)
    self._path, self._progress = path, progress
    self.steps, self._steps_per_epoch = epochs * steps_per_epoch, steps_per_epoch
    self._start, self.waited = None, None

  def on_epoch_begin(self, epoch, logs=None):
    """Starts the epoch's clock."""
    self._start = time.perf_counter(), self.step, self.waited()

  def on_train_batch_end(self, batch, logs=None):
    """Checks the loss and shows progress."""
    self.step += 1
    if not math.isfinite(logs["loss"]):
      raise _diverged("loss", f"{logs['loss']} at step {self.step - 1}")
    if current.share()[0] == 0:
      self._progress(self.step, self.steps, **logs, data_wait=self._data_wait())

  def on_epoch_end(self, epoch, logs=None):
    """Adds a row and writes the file.

    Raises:
      InputError: The data ended before the epoch did.
    """
    start, first, _ = self._start
    if self.step == first or self.step % self._steps_per_epoch:
      raise errors.InputError(
          f"An epoch must have {self._steps_per_epoch} batches. Received: no more after step "
          f"{self.step}"
      )
    self.rows.append({
        "epoch": epoch + 1, "step": self.step,
        **{name: round(float(value), 6) for name, value in logs.items()},
        "steps_per_second": round((self.step - first) / (time.perf_counter() - start), 3),
        "data_wait": self._data_wait(),
    })
    if current.share()[0] == 0:
      csv_file.write(self._path, list(self.rows[-1]), self.rows)  # The first may have old columns.

  def _data_wait(self):
    """Share of the epoch's time so far that was spent waiting for data."""
    start, _, before = self._start
    return round((self.waited() - before) / (time.perf_counter() - start), 4)


class Validation(keras.callbacks.Callback):
  """Evaluates the model at the end of each epoch, as Keras' `fit` does with `validation_data`.

  Comes first, so that the log has its numbers.
  """

  def __init__(self, data):
    super().__init__()
    self._data = data if isinstance(data, (tuple, list)) else (data,)

  def on_epoch_end(self, epoch, logs=None):
    """Adds `val_loss` and the like to the epoch's logs."""
    x, y, sample_weight = (*self._data, None, None)[:3]
    found = self.model.evaluate(
        x, y, sample_weight=sample_weight, verbose=0, return_dict=True)
    logs.update((f"val_{name}", value) for name, value in found.items())


class DevicePeak(keras.callbacks.Callback):
  """Records the peak memory of an accelerator in this process and those before it.

  With several workers, that of the first.

  Comes before the checkpoint, so that the file is there for each epoch that is done.
  """

  def __init__(self, path):
    super().__init__()
    self._path = path
    there = path.exists()
    kind = {"peak_bytes": json_schema.COUNT}
    self._before = json_schema.read(path, kind)["peak_bytes"] if there else 0

  def on_epoch_end(self, epoch, logs=None):
    """Writes the file, if there is an accelerator."""
    peak = current.peak_device_bytes()
    if peak is not None:
      text = json.dumps({"peak_bytes": max(peak, self._before)}) + "\n"
      atomic.write_text(self._path, text)


class Probes(keras.callbacks.Callback):
  """Runs a probe at the end of epochs, and writes a line of JSON each time.

  Comes after the log and before the checkpoint: the lines up to a checkpoint's step are always
  there. A resume drops later lines and writes them again. Comes before TensorBoard too, which shows
  the numbers that it adds to the epoch's logs.
  """

  def __init__(self, path, log, probe, epochs):
    super().__init__()
    self._path, self._log, self._probe, self._epochs = path, log, probe, epochs

  def on_epoch_end(self, epoch, logs=None):
    """Runs the probe, if it is due."""
    done = epoch + 1
    if done % self._probe.epochs and done < self._epochs:
      return
    line = {"epoch": done, "step": self._log.step, **self._probe(self.model, self._log.step)}
    if current.share()[0] == 0:  # All workers run it, else they would wait for the one that does.
      journal.write(self._path, [*read_lines(self._path), line])
    logs.update(probe_lib.scalars(line))


def read_lines(path, kind={"step": json_schema.COUNT}):
  """The lines of a file of probes; [] if there is none.

  Args:
    path: File that a Probes callback wrote.
    kind: What a line must hold, as for `json_schema.check`.

  Returns:
    List of dicts.

  Raises:
    InputError: A line is damaged.
  """
  return journal.read(path, "a probe", kind)


def drop_lines(path, step):
  """Drops the lines after the step of a checkpoint, left by a killed process."""
  lines = read_lines(path)
  kept = [line for line in lines if line["step"] <= step]
  if len(kept) < len(lines):
    journal.write(path, kept)
