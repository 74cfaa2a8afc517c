"""Scores kept as they come, an arch a line, so that a killed job goes on where it was."""

import json
import math
import os

from tfdynnas import errors
from tfdynnas import whole_file


class ScoreLog:
  """Scores of archs by index; those of a run and settings that are not its own are refused.

  Attributes:
    scores: dict, index -> {"accuracy": float, "loss": float or None}.
  """

  def __init__(self, path, identity):
    """Opens the file, and reads what an earlier process left.

    Args:
      path: pathlib.Path of the file.
      identity: JSON-able dict of what the scores depend on, beside the arch.

    Raises:
      InputError: The file is damaged, or of another identity, saying in what it differs.
    """
    self.scores = {}
    if path.exists():
      self._read(path, json.loads(json.dumps(identity)))
    else:
      whole_file.write_text(path, json.dumps({"identity": identity}) + "\n")
    self._file = open(path, "a", encoding="utf-8")

  def _read(self, path, identity):
    data = path.read_bytes()
    whole, newline, torn = data.rpartition(b"\n")  # A kill leaves at most the last line torn.
    for number, line in enumerate(whole.split(b"\n"), 1):
      try:
        row = json.loads(line)
        if number == 1:
          rule = f"{path} must be of the same supernet and settings; delete it to score anew"
          errors.refuse_other(rule, row["identity"], identity)
        else:
          self.scores[int(row["index"])] = {"accuracy": row["accuracy"], "loss": row["loss"]}
      except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, errors.InputError):
          raise
        raise errors.InputError(
            f"Line {number} of {path} must be a score; delete the file to score anew. "
            f"Received: {line[:60]!r}"
        ) from error
    if torn:
      os.truncate(path, len(whole) + len(newline))

  def add(self, index, score):
    """Keeps the score of an arch."""
    loss = score["loss"] if math.isfinite(score["loss"] or 0) else None
    self.scores[index] = {"accuracy": score["accuracy"], "loss": loss}
    self._file.write(json.dumps({"index": index, **self.scores[index]}) + "\n")
    self._file.flush()

  def close(self):
    """Closes the file."""
    self._file.close()
