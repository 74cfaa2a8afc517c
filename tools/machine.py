"""Refuses machine-wide settings that would change or end a job: Keras' own settings, and a small
address space."""

import json
import os
import resource

from tfdynnas import errors
from tfdynnas.files import damage
from tfdynnas.files import regular_file

LEAST_ADDRESSES = 2**32  # Bytes; with 3.1 GB TensorFlow aborts, which Python cannot catch.
# Keras' settings that a run does not record. The last two would end a training early.
KERAS = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7,
         "max_epochs": None, "max_steps_per_epoch": None}
_SOURCE = "keras.json, or of a variable KERAS_..."


def check():
  """Refuses, before a back end is imported, settings that it would ignore or abort on.

  Raises:
    InputError: `keras.json` holds no settings, which Keras ignores or answers with a traceback; or
      the limit on addresses is too low.
  """
  limit, _ = resource.getrlimit(resource.RLIMIT_AS)
  if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESSES:
    raise errors.InputError(
        f"The limit on memory addresses, `ulimit -v`, must be >= {LEAST_ADDRESSES // 1024:,} KiB. "
        f"Received: {limit // 1024:,}")
  path = _keras_file()
  if not os.path.exists(path):
    return
  with damage.refused(path, "whole JSON"):
    text = regular_file.read_text(path)
    settings = json.loads(text) if text else {}  # Empty while another process writes it.
  if not isinstance(settings, dict):
    raise errors.InputError(f"{path} must hold an object of settings. Received: {text:.100}")


def _keras_file():
  """Path of Keras' settings."""
  user = os.path.expanduser("~")
  place = os.path.join(user if os.access(user, os.W_OK) else "/tmp", ".keras")
  return os.path.expanduser(os.path.join(os.environ.get("KERAS_HOME", place), "keras.json"))


def import_keras():
  """Imports Keras, whose settings must be the defaults.

  Returns:
    str, name of its back end.

  Raises:
    InputError: A setting is not the default.
  """
  try:
    import keras
  except (TypeError, ValueError) as error:  # A setting unknown to Keras.
    raise errors.InputError(f"Keras must know each setting of {_SOURCE}. {error}") from error
  for name, wanted in KERAS.items():
    value = getattr(keras.config, name)()
    if value != wanted:
      raise errors.InputError(f"`{name}` of {_SOURCE}, must be {wanted}. Received: {value}")
  return keras.config.backend()
