"""Scores kept as they come, an arch a line, so that a killed job goes on where it was."""

import json
import math
import os

from tfdynnas import errors
from tfdynnas.files import atomic
from tfdynnas.files import json_schema
from tfdynnas.files import regular_file

_SCORE = {
    "accuracy": json_schema.SHARE,
    "balanced_accuracy?": (json_schema.SHARE, None), "loss": (float, None),
}


class ScoreLog:
  """Scores of archs by index; those of a run and settings that are not its own are refused.

  Attributes:
    scores: dict, index -> {"accuracy": float, "balanced_accuracy": float, of an older file None,
      "loss": float or None}.
  """

  def __init__(self, path, identity, archs=None):
    """Reads what an earlier process left; a new file is made with its first score.

    Args:
      path: pathlib.Path of the file.
      identity: JSON-able dict of what the scores depend on, beside the arch.
      archs: int, how many there are; None: not known.

    Raises:
      InputError: The file is damaged, or of another identity, saying in what it differs.
    """
    self.scores = {}
    self._path, self._identity, self._file = path, identity, None
    index = json_schema.Number(0, math.inf if archs is None else archs - 1, whole=True)
    self._kind = {"index": index, **_SCORE}
    if path.exists():
      self._read(path, json.loads(json.dumps(identity)))

  def _read(self, path, identity):
    try:
      data = regular_file.read_bytes(path, regular_file.MOST_LOG_BYTES)
    except OSError as error:
      raise errors.InputError(f"{path} must be a list of scores. Received: {error}") from error
    whole, newline, torn = data.rpartition(b"\n")  # A kill leaves at most the last line torn.
    for number, line in enumerate(whole.split(b"\n"), 1):
      try:
        row = json.loads(line)
        json_schema.check(path, row, {"identity": dict} if number == 1 else self._kind)
      except (ValueError, RecursionError) as error:
        raise errors.InputError(
            f"Line {number} of {path} must be a score; delete the file to score anew. "
            f"Received: {line[:100]!r}"
        ) from error
      if number == 1:
        rule = f"{path} must be of the same supernet and settings; delete it to score anew"
        errors.refuse_other(rule, row["identity"], identity)
      else:
        self.scores[row["index"]] = {
            "accuracy": row["accuracy"], "balanced_accuracy": row.get("balanced_accuracy"),
            "loss": row["loss"],
        }
    if torn:
      os.truncate(path, len(whole) + len(newline))

  def forget_without(self, metric):
    """Leaves out scores that lack a metric, as those of an older file may: they are made anew."""
    self.scores = {index: score for index, score in self.scores.items()
                   if score[metric] is not None}

  def add(self, index, score):
    """Keeps the score of an arch."""
    if self._file is None:
      if not self._path.exists():
        atomic.write_text(self._path, json.dumps({"identity": self._identity}) + "\n")
      self._file = open(self._path, "a", encoding="utf-8")
    loss = score["loss"] if math.isfinite(score["loss"] or 0) else None
    self.scores[index] = {**score, "loss": loss}
    self._file.write(json.dumps({"index": index, **self.scores[index]}) + "\n")
    self._file.flush()

  def close(self):
    """Closes the file."""
    if self._file is not None:
      self._file.close()
