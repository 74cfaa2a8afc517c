"""A log of scores, an arch a line, from which a killed job resumes."""

import math

from tfdynnas.files import journal
from tfdynnas.files import json_schema

_SCORE = {
    "accuracy": json_schema.SHARE,
    "balanced_accuracy?": (json_schema.SHARE, None), "loss": (float, None),
}


class ScoreLog:
  """Scores of archs by index; a file of another run or other settings is refused.

  Attributes:
    scores: dict, index -> {"accuracy": float, "balanced_accuracy": float, or None from an older
      file, "loss": float or None}.
  """

  def __init__(self, path, identity, archs=None):
    """Reads the scores of earlier processes; a new file is made with its first score.

    Args:
      path: pathlib.Path of the file.
      identity: JSON-able dict of all that the scores depend on, beside the arch.
      archs: int, number of archs; None: unknown.

    Raises:
      InputError: The file is damaged, or of another identity; the error says where they differ.
    """
    index = json_schema.Number(0, math.inf if archs is None else archs - 1, whole=True)
    self._journal = journal.Journal(path, identity, "a score", {"index": index, **_SCORE})
    self.scores = {
        row["index"]: {"accuracy": row["accuracy"], "loss": row["loss"],
                       "balanced_accuracy": row.get("balanced_accuracy")}
        for row in self._journal.rows
    }

  def forget_without(self, metric):
    """Drops scores that lack a metric, as those of an older file may, to be made anew."""
    self.scores = {index: score for index, score in self.scores.items()
                   if score[metric] is not None}

  def add(self, index, score):
    """Keeps the score of an arch."""
    loss = score["loss"] if math.isfinite(score["loss"] or 0) else None
    self.scores[index] = {**score, "loss": loss}
    self._journal.add({"index": index, **self.scores[index]})

  def close(self):
    """Closes the file."""
    self._journal.close()
