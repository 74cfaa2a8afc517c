"""Trains every method for ten steps on the back end in use, and scores archs.

python backend_case.py FOLDER RUN...: runs named after the back end, `nudged` or `nudged_back`, or
`tensorflow_after_jax` and the like. All begin with the same weights on any back end.
"""

import pathlib
import shutil
import sys

import numpy as np

from tfdynnas import config
from tfdynnas import data
from tfdynnas import spaces
from tfdynnas.backend import current
from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.search import scorer as scorer_lib
from tfdynnas.training import callbacks
from tfdynnas.training import loop
from tfdynnas.training import recipe

EPOCHS, BATCH, IMAGES = 2, 32, 160  # Ten steps.
NUDGES = {"nudged": 1e-7, "nudged_back": -1e-7}  # Each weight is moved up or down by so much.
RESUMED = ("spos_calr_ms", "fairnas_calr_ms")  # The other back end goes on with these after step 6.
OTHER = {"tensorflow": "jax", "jax": "tensorflow"}
PLAIN = {"schedule": "cosine", "momentum_groups": "shared"}
CASES = {
    "spos": PLAIN,
    "spos_calr_ms": {},
    "fairnas": {"method": "fairnas", **PLAIN},
    "fairnas_calr_ms": {"method": "fairnas", "calr_on": "loss"},
    "few_shot": {**PLAIN, "off_path": "frozen", "seed": 1},
    "few_shot_calr_ms": {"off_path": "frozen", "split_decision": 1, "seed": 1},
    "sandwich": {"method": "sandwich", "sharing": "shared", **PLAIN},
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


def train(case, names, folder, feed):
  """Runs a case by one supernet, which is set back for each run: its step is traced once."""
  supernet = make(case, feed)
  variables = [*callbacks.state(supernet).values(), *supernet.optimizer.variables]
  start = [np.array(variable) for variable in variables]

  def keep(step, steps, **logs):
    if step == 7 and case in RESUMED:  # What a run that ends here leaves: the state of step 6.
      after = f"{OTHER[current.name]}_after_{current.name}"
      shutil.copytree(folder / current.name / case, folder / after / case)

  for name in names:
    assert ("_after_" in name) == (folder / name / case / "checkpoint.npz").exists()
    for variable, value in zip(variables, start):
      variable.assign(value)
    set_weights(supernet, NUDGES.get(name, 0.0))
    loop.fit(
        supernet, current.batches(feed), 5, EPOCHS, folder / name / case, {"case": case}, every=3,
        progress=keep if name == current.name else loop.silent,
    )


def main(folder, *names):
  """Runs all cases, or those that are gone on with; with the first, scores archs too."""
  current.shorten_first_step()
  folder = pathlib.Path(folder)
  images, whole = digits()
  feed = feeds.TrainingFeed(whole, images, BATCH, 5, augment.Augmentation(1, True))
  for case in CASES:
    own = [name for name in names if case in RESUMED or "_after_" not in name]
    if own:
      train(case, own, folder, feed)
  if current.name in names:
    score(folder / current.name / "scores.npy", feed, whole)


def score(path, feed, whole):
  """Scores of fifty archs, by a supernet that is not trained."""
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
