"""Where a search is stored: here, in any folder; the jobs have a place for a run directory."""

import contextlib
import hashlib

from keras import ops


class Folder:
  """A folder whose search is resumed only with the same images and weights."""

  def __init__(self, supernet, data):
    self._supernet, self._data = supernet, data

  def fingerprint(self, scored):
    """What identifies the search, beside its oracle.

    Args:
      scored: dict, how archs are scored.

    Returns:
      dict of JSON values.
    """
    digest = hashlib.sha256()
    for weight in self._supernet.trainable_variables:
      digest.update(ops.convert_to_numpy(weight).tobytes())
    images = self._data.record["fingerprint"]
    return {"images": images, "weights": digest.hexdigest()[:16], **scored}

  def working(self):
    """Context in which the search is made and runs."""
    return contextlib.nullcontext()

  def begun(self, search):
    """Called when the search was made or reloaded."""

  def ended(self, search):
    """Called when the search has ended."""
