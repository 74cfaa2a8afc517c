"""Where a search lies: a folder of its own. In a run directory the jobs have another place for it.
"""

import contextlib
import hashlib

from keras import ops


class Folder:
  """A folder of its own, whose search goes on with the same images and weights alone."""

  def __init__(self, supernet, data):
    self._supernet, self._data = supernet, data

  def fingerprint(self, scored):
    """What the search is, beside its oracle.

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
    """Context in which the search is made and goes on."""
    return contextlib.nullcontext()

  def begun(self, search):
    """Hears that the search was made, or read again."""

  def ended(self, search):
    """Hears that the search has come to its end."""
