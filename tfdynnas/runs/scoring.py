"""How the jobs of a run score archs: on its validation images, all alike."""

import functools
import hashlib

import numpy as np

from tfdynnas.data import augment
from tfdynnas.data import training_feed
from tfdynnas.runs import trained
from tfdynnas.search import scoring

STREAMED = 10_000  # Validation images to score on where a set is too large to be held.
FINGERPRINT = ("score_images", "score_batch", "calibration")


def make_scorer(run_dir, supernet_config, data, space, config):
  """Makes what scores an arch on the validation images of the run.

  Args:
    run_dir: RunDir whose supernet is trained.
    supernet_config: config.SupernetConfig of the run.
    data: data.Data of the run.
    space: spaces.CellSpace of the run.
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


def fingerprint(config):
  """dict of the settings that a score depends on."""
  return {name: getattr(config, name) for name in FINGERPRINT}


def weights_digest(run_dir):
  """Text that tells one trained supernet from another: a hash of its checkpoints."""
  digest = hashlib.sha256()
  for name, _ in trained.trainings(run_dir):
    digest.update((run_dir.path / name / "checkpoint.npz").read_bytes())
  return digest.hexdigest()[:16]
