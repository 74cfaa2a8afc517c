"""How the jobs of a run score archs: on its validation images, all alike."""

import functools
import hashlib
import time

import numpy as np

from tfdynnas.data import augment
from tfdynnas.data import training_feed
from tfdynnas.runs import trained
from tfdynnas.search import scoring
from tfdynnas.training import recalibration

STREAMED = 10_000  # Validation images to score on where a set is too large to be held.
RECALIBRATED = 2_000  # Training images for the running statistics of a network, in ten batches.
FINGERPRINT = ("score_images", "score_batch", "calibration")


def make_scorer(run_dir, supernet_config, data, space, config):
  """Makes what scores an arch on the validation images of the run.

  Args:
    run_dir: RunDir whose supernet is trained.
    supernet_config: config.SupernetConfig of the run.
    data: data.Data of the run.
    space: spaces.Space of the run.
    config: config.ScoreConfig.

  Returns:
    Callable, arch -> {"accuracy": share in [0, 1], "loss": mean}.

  Raises:
    InputError: The supernet is not trained to its end.
  """
  supernet = trained.load_supernet(run_dir, supernet_config, space)
  seed = supernet_config.seed
  calibration = None
  if config.calibration:
    calibration = training_feed.drawn(data.train, config.calibration, seed).images
  prepare = functools.partial(augment.eval_images, mean=data.mean, std=data.std)
  batches = valid_batches(data, config.score_images, config.score_batch, seed)
  return scoring.Scorer(supernet, batches, prepare, calibration)


def valid_batches(data, count, batch, seed):
  """Validation images to score on: a pure function of its arguments.

  Args:
    data: data.Data.
    count: int, how many images; 0: all, or STREAMED of a set that is not held.
    batch: int, images per batch.
    seed: int in [0, 2**32).

  Returns:
    List of (uint8 [<= batch, height, width, 3], int32 [<= batch]).
  """
  count = count or (data.valid.size if hasattr(data.valid, "images") else STREAMED)
  valid = training_feed.drawn(data.valid, count, seed)
  # Mixed, since a folder's images may lie class by class and statistics are a batch's own.
  order = np.random.Generator(np.random.Philox(key=[seed, 1])).permutation(valid.size)
  mixed = type(valid)(valid.images[order], valid.labels[order])
  return training_feed.held_batches(mixed, batch)


def calibration_batches(data, seed):
  """Training images whose statistics a network gets as its running ones.

  Args:
    data: data.Data of the run.
    seed: int in [0, 2**32).

  Yields:
    float32 [RECALIBRATED // 10, height, width, 3], normalised; fewer, of fewer images.
  """
  images = training_feed.drawn(data.train, RECALIBRATED, seed).images
  size = max(len(images) // 10, 1)
  for start in range(0, len(images) - size + 1, size):
    yield augment.eval_images(images[start:start + size], data.mean, data.std)


def recalibrated(supernet, supernet_config, data, config, arch):
  """How a subnet does with inherited weights and running statistics of its own.

  Args:
    supernet: supernet.Supernet or supernet.FewShot, trained.
    supernet_config: config.SupernetConfig of the run.
    data: data.Data of the run.
    config: config.ScoreConfig.
    arch: Sequence of ints, one per decision.

  Returns:
    dict: accuracy, share in [0, 1] of the images of a score; images that the statistics are of;
    seconds that measuring them took.
  """
  model, seed = supernet.subnet(arch, "running"), supernet_config.seed
  calibration = list(calibration_batches(data, seed))
  start = time.perf_counter()
  recalibration.recalibrate(model, calibration)
  seconds, right, count = time.perf_counter() - start, 0, 0
  for images, labels in valid_batches(data, config.score_images, config.score_batch, seed):
    logits = model.predict_on_batch(augment.eval_images(images, data.mean, data.std))
    right, count = right + int(np.sum(np.argmax(logits, axis=1) == labels)), count + len(labels)
  return {
      "accuracy": right / count, "images": sum(len(images) for images in calibration),
      "seconds": round(seconds, 3),
  }


def fingerprint(config):
  """dict of the settings that a score depends on."""
  return {name: getattr(config, name) for name in FINGERPRINT}


def weights_digest(run_dir):
  """Text that tells one trained supernet from another: a hash of its checkpoints."""
  digest = hashlib.sha256()
  for name, _ in trained.trainings(run_dir):
    digest.update((run_dir.path / name / "checkpoint.npz").read_bytes())
  return digest.hexdigest()[:16]
