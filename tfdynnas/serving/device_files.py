"""The files for devices beside a servable: written, read by their own runtimes, and compared."""

import json
import pathlib
import shutil
import tempfile

import numpy as np

from tfdynnas import config
from tfdynnas import data as data_lib
from tfdynnas import errors
from tfdynnas.data import feeds
from tfdynnas.serving import draft
from tfdynnas.serving import formats

CALIBRATION = 256  # Training images that int8 is calibrated on; LiteRT's guide says 100 to 500.
BATCH = 64


def names(format, quantize):
  """The names of the files beside the SavedModel.

  Args:
    format, quantize: As of config.ExportConfig.

  Returns:
    dict of name -> (name of its format, whether it is in int8).

  Raises:
    InputError: A package of a format is missing.
  """
  return {
      f"model{'.int8' if small else ''}{formats.find(kind).suffix}": (kind, small)
      for kind in format if kind != config.SAVED_MODEL
      for small in ((False, True) if quantize == "int8" else (False,))
  }


def write(folder, model, graph, data, format, quantize):
  """Writes the files, and compares each, read by its own runtime, with the model.

  Args:
    folder: pathlib.Path of the version.
    model: Keras model from normalised images to logits.
    graph: dict of image_size, class_names, mean, std and preparation.
    data: data.Data: int8 is calibrated on its training images, and measured on its test images.
    format, quantize: As of config.ExportConfig.

  Returns:
    dict, name of a file -> {runtime, bytes, difference, agreement, images, accuracy}: the greatest
    difference between its probabilities and the model's, the share of images that both give the
    same class, and the number of these images; the accuracy only beside int8 files.

  Raises:
    InputError: The network does not convert.
    RuntimeError: A file in float32 gives other probabilities than the model.
  """
  files = names(format, quantize)
  if not files:
    return {}
  whole = formats.from_pixels(model, graph["mean"], graph["std"])
  part = data.test if data.test is not None else data.valid
  texts = {
      "labels.txt": "\n".join(graph["class_names"]) + "\n",
      "preparation.json": json.dumps(graph["preparation"]),
  }
  facts = {}
  for name, (kind, small) in files.items():
    own, path = formats.find(kind), folder / name
    call = _converted(own, whole, path, _calibration(data) if small else None, texts)
    facts[name] = {"runtime": own.runtime, "bytes": path.stat().st_size,
                   **_compared(call, whole, part, quantize == "int8")}
    _check_file(name, facts[name]["difference"], small)
  (folder / "labels.txt").write_text(texts["labels.txt"], "utf-8")
  return facts


def _check_file(name, difference, small):
  allowed = 1 if small else draft.DRAFT_TOLERANCE  # In int8 they differ, but are probabilities.
  if not difference <= allowed:
    raise RuntimeError(
        f"{name} must give the model's probabilities. Received: a difference of {difference:.3g}")


def _converted(own, model, path, calibration, texts):
  """Writes a file and opens it: function from pixels to probabilities."""
  try:
    # Elsewhere first: on a full disk converters leave half a file, and name another cause.
    with tempfile.TemporaryDirectory() as folder:
      draft_path = pathlib.Path(folder) / path.name
      own.write(model, draft_path, calibration)
      own.describe(draft_path, texts)
      shutil.copyfile(draft_path, path)
    return own.read(path)
  except OSError:
    raise
  except Exception as error:  # Converters and readers raise many types, depending on the layer.
    line = f"{type(error).__name__}: {error}".splitlines()[0]
    raise errors.InputError(
        f"{path.name} needs layers that {own.runtime} has. Received: {line:.300}") from error


def _calibration(data):
  """Training images, float32 [n, height, width, 3], pixels 0..255."""
  return feeds.drawn(data.train, CALIBRATION, 0).images.astype(np.float32)


def _compared(call, model, part, all_images):
  """The numbers of a file: on all images of a part with their accuracy, or on some."""
  images = right = same = 0
  difference = 0.0
  with part.reading():
    for pixels, labels in data_lib.eval_batches(part, BATCH).as_numpy_iterator():
      pixels = pixels.astype(np.float32)
      found, wanted = call(pixels), np.asarray(model(pixels)[formats.OUTPUT])
      difference = np.maximum(difference, np.max(np.abs(found - wanted)))
      images += len(labels)
      right += np.sum(found.argmax(-1) == labels)
      same += np.sum(found.argmax(-1) == wanted.argmax(-1))
      if not all_images:
        break
  shares = {"difference": float(difference), "agreement": float(same / images), "images": images}
  return {**shares, "accuracy": float(right / images)} if all_images else shares
