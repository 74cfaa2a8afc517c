"""The scores of archs by which all jobs of a run agree: on its validation images."""

import hashlib
import time

import numpy as np

from tfdynnas import class_accuracy
from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.jobs import trained
from tfdynnas.search import scorer
from tfdynnas.supernet import recalibration

FINGERPRINT = ("score_images", "score_batch", "calibration")


def make_scorer(run_dir, supernet_config, data, space, config):
  """Makes the scorer of archs on the validation images of the run.

  Args:
    run_dir: RunDir whose supernet is trained.
    supernet_config: config.SupernetConfig of the run.
    data: data.Data of the run.
    space: spaces.Space of the run.
    config: config.ScoreConfig.

  Returns:
    search.scorer.Scorer: arch -> dict of accuracy, balanced_accuracy and loss.

  Raises:
    InputError: The supernet is not trained to its end.
  """
  supernet = trained.load_supernet(run_dir, supernet_config, space)
  return scorer.on_data(supernet, data, **fingerprint(config), seed=supernet_config.seed)


def calibration_batches(data, seed):
  """Training images that the running statistics of a network are computed from.

  Args:
    data: data.Data of the run.
    seed: int in [0, 2**32).

  Yields:
    float32 [scorer.RECALIBRATED // 10, height, width, 3], normalised; smaller if there are
    fewer images.
  """
  images = feeds.drawn(data.train, scorer.RECALIBRATED, seed).images
  size = max(len(images) // 10, 1)
  for start in range(0, len(images) - size + 1, size):
    yield augment.eval_images(images[start:start + size], data.mean, data.std)


def recalibrated(supernet, supernet_config, data, config, arch):
  """Accuracy of a subnet with inherited weights and recalibrated running statistics.

  Args:
    supernet: supernet.Supernet or supernet.FewShot, trained.
    supernet_config: config.SupernetConfig of the run.
    data: data.Data of the run.
    config: config.ScoreConfig.
    arch: Sequence of ints, one per decision.

  Returns:
    dict: class_accuracy.summary's, on the images of a score; `images`, how many the statistics are
    of; `seconds` that the recalibration took.
  """
  model, seed = supernet.subnet(arch, "running"), supernet_config.seed
  calibration = list(calibration_batches(data, seed))
  start = time.perf_counter()
  recalibration.recalibrate(model, calibration)
  seconds = time.perf_counter() - start
  batches = feeds.valid_batches(data, config.score_images, config.score_batch, seed)
  prepared = ((augment.eval_images(images, data.mean, data.std), labels)
              for images, labels in batches)
  return {
      **told_right(model, prepared, len(data.class_names)),
      "images": sum(len(images) for images in calibration), "seconds": round(seconds, 3),
  }


def told_right(model, batches, classes):
  """Accuracy of a network, in all and by class.

  Args:
    model: keras.Model, normalised images -> logits [batch, classes].
    batches: Iterable of (images, labels): float32 [batch, height, width, 3], int [batch].
    classes: int.

  Returns:
    dict: accuracy, balanced_accuracy, majority_accuracy, by_class.
  """
  told, labels = [], []
  for images, own in batches:
    told.append(np.argmax(model.predict_on_batch(images), axis=1))
    labels.append(np.asarray(own))
  counts = class_accuracy.count(np.concatenate(labels), np.concatenate(told), classes)
  return class_accuracy.summary(*counts)


def fingerprint(config):
  """dict, the settings that a score depends on."""
  recorded = config.as_dict()
  return {name: recorded[name] for name in FINGERPRINT}


def weights_digest(run_dir):
  """A hash of the checkpoints of a run's supernet."""
  digest = hashlib.sha256()
  for name, _ in trained.trainings(run_dir):
    digest.update((run_dir.path / name / "checkpoint.npz").read_bytes())
  return digest.hexdigest()[:16]
