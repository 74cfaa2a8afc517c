"""The training loop: `fit` resumes from the last checkpoint, exactly as if never interrupted.

Several workers call `fit` alike: all read the folder, the first alone writes there.
"""

import pathlib

import keras

from tfdynnas.backend import current
from tfdynnas.files import identity as identity_lib
from tfdynnas.files import json_schema
from tfdynnas.training import callbacks as watch
from tfdynnas.training import checkpoint
from tfdynnas.training.callbacks import state

_RECORD = {"step": json_schema.COUNT, "rows": list, "identity": dict}  # Of a checkpoint.
_ROW = {"step": json_schema.COUNT, str: (float, None)}  # Of its log.


def silent(step, steps, **logs):
  """Progress that shows nothing."""


def build(model, classes):
  """Makes the variables of optimizer and metrics, so that a checkpoint can set them.

  Keras makes them at the first batch, from the data; call this in the strategy's scope instead.

  Args:
    model: keras.Model, compiled.
    classes: int, logits per image.
  """
  model.optimizer.build(model.trainable_variables)
  labels, logits = keras.ops.zeros([1], "int32"), keras.ops.zeros([1, classes])
  model.compute_loss(y=labels, y_pred=logits)
  model.compute_metrics(None, labels, logits)
  model.reset_metrics()


def fit(
    model, batches, steps_per_epoch, epochs, folder, identity, every=1000, progress=silent,
    probe=None, callbacks=(), validation_data=None,
):
  """Trains a compiled model, from the checkpoint in `folder` if there is one.

  Writes checkpoint.npz, log.csv, device.json, a probe's lines and `backend.boards` to `folder`.

  Args:
    model: keras.Model, compiled, its optimizer built.
    batches: Callable (first_step, last_step) -> those steps, from `backend.batches`.
    steps_per_epoch: int >= 1.
    epochs: int >= 1, of the whole training.
    folder: Folder of the training's state.
    identity: JSON-able dict that identifies this training.
    every: Steps between checkpoints; the end of an epoch has one in any case.
    progress: Callable (step, steps, **logs), called after each step.
    probe: training.probes.Probe or None; it does not change the model.
    callbacks: Callbacks, called after the loop's own; if one stops it, the next call resumes.
    validation_data: Data for the evaluation at the end of each epoch, as Keras' `fit` takes it.

  Returns:
    List of dicts, the rows of the log.

  Raises:
    InputError: The checkpoint is damaged or of another training.
    DivergedError: The loss is no longer a number.
  """
  path = pathlib.Path(folder) / "checkpoint.npz"
  log = _log(path, identity, epochs, steps_per_epoch, progress)
  keeper = watch.Checkpoints(path, every, steps_per_epoch, log, identity)
  if log.step:
    checkpoint.restore(path, state(model))
  run = current.runner(model, every)
  model.stop_training = False
  while log.step < log.steps and not model.stop_training:
    watchers = _watchers(path.parent, log, keeper, probe, epochs, validation_data)
    _fit_on(model, run, batches, steps_per_epoch, keeper, log, [*watchers, *callbacks])
  return log.rows


def _log(path, identity, epochs, steps_per_epoch, progress):
  """The log of a training, up to its checkpoint."""
  record = resumable(path, identity)
  step, rows = (record["step"], record["rows"]) if record else (0, [])
  current.agree(step)
  return watch.Log(path.with_name("log.csv"), step, rows, epochs, steps_per_epoch, progress)


def _watchers(folder, log, keeper, probe, epochs, validation_data):
  """The callbacks of one call of Keras' `fit`, in the order that makes a resume exact."""
  path = folder / "probes.jsonl"
  looks = [watch.Validation(validation_data)] if validation_data is not None else []
  looks += [log, *([watch.Probes(path, log, probe, epochs)] if probe else [])]
  if current.share()[0]:
    return [*looks, _EpochEnd(keeper), keeper]
  watch.drop_lines(path, log.step)
  peak = watch.DevicePeak(folder / "device.json")
  return [*looks, peak, _EpochEnd(keeper), keeper, *current.boards(folder / "events")]


def _fit_on(model, run, batches, steps_per_epoch, keeper, log, watchers):
  """Runs the rest of a half-done epoch, or all the remaining epochs."""
  epoch, done = divmod(log.step, steps_per_epoch)
  if done:
    keeper.resume_within_epoch(model)
  last = epoch + 1 if done else log.steps // steps_per_epoch
  steps, log.waited = current.timed(batches(log.step, last * steps_per_epoch))
  run(steps, epoch, last, steps_per_epoch - done, watchers)


class _EpochEnd(keras.callbacks.Callback):
  """Writes a checkpoint at the end of an epoch, after the log has its row."""

  def __init__(self, keeper):
    super().__init__()
    self._keeper = keeper

  def on_epoch_end(self, epoch, logs=None):
    self._keeper.write()


def resumable(path, identity):
  """The record of the checkpoint to resume from; None if there is none.

  Raises:
    InputError: It is damaged, or of another training; the message says in what it differs.
  """
  record = checkpoint.record(path)
  if record is not None:
    json_schema.check(path, record, _RECORD)
    if record["rows"]:  # None before the end of the first epoch.
      json_schema.check(path, record["rows"], [_ROW], "rows")
    rule = f"{path} must be of the same training; give another run_dir"
    identity_lib.refuse_other(rule, record.get("identity", {}), identity)
  return record
