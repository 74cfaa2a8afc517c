"""Keras callbacks of a training: checkpoints, the log, progress, and the stop at a loss of NaN."""

import csv
import io
import math
import time

import keras
import numpy as np

from tfdynnas import errors
from tfdynnas import whole_file
from tfdynnas.training import checkpoint


def state(model):
  """What a training must keep: dict, name -> variable, of model, optimizer and metrics.

  Numbered, since Keras lets variables share a name, as an optimizer's slots often do; and of those
  the names hold numbers that depend on what was made before.
  """
  found = weights(model)
  found.update((f"optimizer/{i}", v) for i, v in enumerate(model.optimizer.variables))
  for metric in model.metrics:
    found.update((f"metric/{metric.name}/{i}", v) for i, v in enumerate(metric.variables))
  return {name: v for name, v in found.items() if "seed_generator" not in v.path}


def weights(model):
  """The part of `state` that is the model's own: dict, name -> variable."""
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

  def resume_within_epoch(self):
    """Keeps the metrics of a half-done epoch over Keras' reset at its beginning."""
    self._metrics = [
        (v, keras.ops.convert_to_numpy(v)) for m in self.model.metrics for v in m.variables
    ]

  def on_epoch_begin(self, epoch, logs=None):
    """Puts the metrics of a half-done epoch back."""
    for variable, value in self._metrics or ():
      variable.assign(value)
    self._metrics = None

  def on_train_batch_end(self, batch, logs=None):
    """Writes when it is time; not at the end of an epoch, before the log has its row."""
    step = self._log.step
    if step % self._every == 0 and step % self._steps_per_epoch:
      self.write()

  def write(self):
    """Writes the state as it is now.

    Raises:
      DivergedError: It is not finite, which the loss of the next steps may not show.
    """
    arrays = {k: keras.ops.convert_to_numpy(v) for k, v in state(self.model).items()}
    for name, value in arrays.items():
      if not np.isfinite(value).all():
        raise _diverged("weights", f"NaN or infinity in {name} after step {self._log.step - 1}")
    record = {"step": self._log.step, "rows": self._log.rows, "identity": self._identity}
    checkpoint.save(self._path, arrays, record)


class Log(keras.callbacks.Callback):
  """Counts steps, stops at a loss that is no number, and writes one CSV row per epoch.

  Attributes:
    step: int, steps done.
    rows: list of dicts, one per epoch done.
  """

  def __init__(self, path, step, rows, steps, progress):
    super().__init__()
    self.step, self.rows = step, list(rows)
    self._path, self._steps, self._progress = path, steps, progress
    self._start = None

  def on_epoch_begin(self, epoch, logs=None):
    """Starts the epoch's clock."""
    self._start = time.perf_counter(), self.step

  def on_train_batch_end(self, batch, logs=None):
    """Checks the loss and shows progress."""
    self.step += 1
    if not math.isfinite(logs["loss"]):
      raise _diverged("loss", f"{logs['loss']} at step {self.step - 1}")
    self._progress(self.step, self._steps, **logs)

  def on_epoch_end(self, epoch, logs=None):
    """Adds a row and writes the file."""
    start, first = self._start
    self.rows.append({
        "epoch": epoch + 1, "step": self.step,
        **{name: round(float(value), 6) for name, value in logs.items()},
        "steps_per_second": round((self.step - first) / (time.perf_counter() - start), 3),
    })
    text = io.StringIO()
    writer = csv.DictWriter(text, list(self.rows[0]))
    writer.writeheader()
    writer.writerows(self.rows)
    whole_file.write_text(self._path, text.getvalue())
