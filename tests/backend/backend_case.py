"""Trains every method for ten steps on the back end in use, and scores archs by what came out.

python backend_case.py FOLDER NUDGE STOP CASE...: the same weights to begin with on any back end,
each moved by NUDGE up or down; trainings end after STOP steps, to be gone on with.
"""

import pathlib
import sys

import numpy as np

from tfdynnas import config
from tfdynnas import data
from tfdynnas import spaces
from tfdynnas.backend import current
from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.search import scorer as scorer_lib
from tfdynnas.training import loop
from tfdynnas.training import recipe

EPOCHS, BATCH, IMAGES = 2, 32, 160  # Ten steps.
PLAIN = {"schedule": "cosine", "momentum_groups": "shared"}
CASES = {
    "spos": PLAIN,
    "spos_calr_ms": {},
    "fairnas": {"method": "fairnas", **PLAIN},
    "fairnas_calr_ms": {"method": "fairnas", "calr_on": "loss"},
    "few_shot": {**PLAIN, "off_path": "frozen", "seed": 1},
    "few_shot_calr_ms": {"off_path": "frozen", "split_decision": 1, "seed": 1},
    "sandwich": {"method": "sandwich", **PLAIN},
    "pa": {"sampler": "pa"},
    "pada": {"sampler": "pada", "seed": 2},
}
SPACE = spaces.cell_space(
    "three", spaces.nasbench201().operations, nodes=3, skeleton=spaces.Skeleton(4, 1, 8)
)


def digits():
  """The first of the digits, as data of their own."""
  whole = data.digits()
  train = type(whole.train)(whole.train.images[:IMAGES], whole.train.labels[:IMAGES])
  return train, whole


def make(case, feed):
  """A supernet with weights that are the same on every back end."""
  settings = config.SupernetConfig(epochs=EPOCHS, batch=BATCH, pad=1, **CASES[case])
  allowed = [[0, 3], *[range(5)] * 2] if case.startswith("few_shot") else None
  supernet = recipe.make_supernet(
      settings, SPACE, EPOCHS * 5, feed.prepare, allowed, feed.held_images
  )
  loop.build(supernet, 10)
  return supernet


def set_weights(supernet, nudge):
  """The same weights on all back ends, each moved by `nudge` up or down."""
  rng, signs = np.random.default_rng(0), np.random.default_rng(1)
  for weight in supernet.trainable_variables:
    fan_in = np.prod(weight.shape[-4:-1]) if len(weight.shape) > 1 else 64
    values = rng.uniform(-1, 1, weight.shape) / np.sqrt(fan_in)
    weight.assign((values + nudge * signs.choice([-1, 1], weight.shape)).astype(np.float32))


def main(folder, nudge, stop, *cases):
  """Runs cases; if it is all of them, scores archs too, by a supernet that is not trained."""
  train, whole = digits()
  feed = feeds.TrainingFeed(whole, train, BATCH, 5, augment.Augmentation(1, True))

  def show(step, steps, **logs):
    if step == int(stop):
      raise InterruptedError

  for case in cases or CASES:
    supernet = make(case, feed)
    set_weights(supernet, float(nudge))
    try:
      loop.fit(
          supernet, current.batches(feed), 5, EPOCHS, pathlib.Path(folder) / case, {"case": case},
          every=3, progress=show,
      )
    except InterruptedError:
      pass
  if not cases:
    score(pathlib.Path(folder) / "scores.npy", feed, whole)


def score(path, feed, whole):
  """Scores of fifty archs."""
  supernet = make("spos", feed)
  set_weights(supernet, 0.0)
  batches = feeds.held_batches(whole.valid, 50)
  scorer = scorer_lib.Scorer(
      supernet, batches, lambda pixels: augment.eval_images(pixels, whole.mean, whole.std)
  )
  rng = np.random.default_rng(3)
  np.save(path, [list(scorer(SPACE.sample(rng)).values()) for _ in range(50)])


if __name__ == "__main__":
  main(*sys.argv[1:])
