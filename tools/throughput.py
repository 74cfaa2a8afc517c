"""Training steps per second, through the loop that the launchers use, on either back end."""

import contextlib
import tempfile
import time
from unittest import mock

import keras
import numpy as np
from keras import ops

from tfdynnas import config
from tfdynnas import data
from tfdynnas import spaces
from tfdynnas.backend import control_flow
from tfdynnas.backend import current
from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.training import loop
from tfdynnas.training import recipe

STEPS = 100  # A block, an epoch here: its log and checkpoint count too.
BATCH = 64


def masked_switch(index, branches, *operands):
  """Replaces `control_flow.switch`: runs every branch, and takes the result of the chosen one.

  Nothing then depends on a number on the device, and no work is saved.
  """
  results = [branch(*operands) for branch in branches]
  several = isinstance(results[0], (tuple, list))
  columns = zip(*results) if several else [results]
  chosen = []
  for column in columns:
    taken = column[0]
    for number, other in enumerate(column[1:], start=1):
      taken = ops.where(ops.equal(index, number), other, taken)
    chosen.append(taken)
  return tuple(chosen) if several else chosen[0]


def _noise(image_size, seed):
  """Held images of noise, a data.Data."""
  rng = np.random.default_rng(seed)
  images = rng.integers(0, 256, [STEPS * BATCH, image_size, image_size, 3], np.uint8)
  part = data.Images(images, rng.integers(0, 10, STEPS * BATCH).astype(np.int32))
  return data.Data(part, part, None, tuple("0123456789"), np.full(3, 127.0), np.full(3, 64.0), {})


def measure(channels, cells, image_size, blocks, seed, masked=False):
  """Trains SPOS with CaLR and MS on held images of noise, augmented.

  Args:
    channels: int >= 1, of the first stage.
    cells: int >= 1, in each stage.
    image_size: int >= 4, pixels.
    blocks: int >= 1, measured epochs.
    seed: int >= 0, of images, weights and archs.
    masked: Run every choice in place of the chosen one, to see what the switch costs or saves.

  Yields:
    Lines of text.
  """
  current.shorten_first_step()
  held = _noise(image_size, seed)
  settings = config.SupernetConfig(epochs=blocks + 1, batch=BATCH, seed=seed)
  feed = feeds.TrainingFeed(held, held.train, BATCH, seed, augment.Augmentation(4, True))
  space = spaces.nasbench201(channels, cells, image_size)
  supernet = recipe.make_supernet(settings, space, settings.epochs * STEPS, feed.prepare)
  loop.build(supernet, 10)
  start = time.perf_counter()
  switch = mock.patch.object(control_flow, "switch", masked_switch)
  with tempfile.TemporaryDirectory() as folder, switch if masked else contextlib.nullcontext():
    rows = loop.fit(
        supernet, current.batches(feed), feed.steps_per_epoch, settings.epochs, folder, {}
    )
  first = STEPS / rows[0]["steps_per_second"]
  rates = [row["steps_per_second"] for row in rows[1:]]
  low, middle, high = np.quantile(rates, [0.25, 0.5, 0.75])
  weights = sum(int(np.prod(v.shape)) for v in supernet.trainable_variables)
  yield (f"{keras.backend.backend()} on {keras.distribution.list_devices()}; {weights:,} weights, "
         f"{image_size}x{image_size}, batch {BATCH}")
  yield f"first {STEPS} steps, with tracing and compilation: {first:.1f} s"
  how = "every choice run, masked" if masked else "the chosen ones run, by a switch"
  yield (f"steps per second, SPOS with CaLR and MS, {how}, blocks of {STEPS}: {middle:.2f} "
         f"[{low:.2f}, {high:.2f}], whole run {time.perf_counter() - start:.0f} s")
