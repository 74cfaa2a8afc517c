"""Several workers: each has its share of batches that are the same whatever their number."""

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors
from tfdynnas.data import feeds
from tfdynnas.data.images import augment

tf = pytest.importorskip("tensorflow")

SIZE, BATCH, SEED = 50, 12, 3


@pytest.fixture(scope="module")
def kinds():
  """The same images as held Data and as a stream."""
  rng = np.random.default_rng(0)
  images, labels = rng.integers(0, 256, (SIZE, 4, 4, 3), np.uint8), np.arange(SIZE) % 3
  dataset = tf.data.Dataset.from_tensor_slices((images, labels))
  return {
      "held": data.from_dataset(dataset, valid_share=0.2),
      "stream": data.from_dataset(dataset, valid_share=0.2, class_names="abc", held_bytes=0),
  }


def _batches(whole, first, last, shard=(0, 1)):
  feed = feeds.TrainingFeed(whole, whole.train, BATCH, SEED, augment.Augmentation(1, True), shard)
  batches = list(feed.batches(first, last))
  prepared = [feed.prepare(batch, first + i) for i, batch in enumerate(batches)]
  return [(batch["index"].numpy(), *(np.asarray(x) for x in pair))
          for batch, pair in zip(batches, prepared)]


@pytest.mark.parametrize("kind", ["held", "stream"])
@pytest.mark.parametrize("count", [2, 3])
def test_shares_are_the_rows_of_the_whole_batch_in_order(kinds, kind, count):
  # 40 images in batches of 12: epochs of 4 steps; steps 2 to 6 begin in the middle of one.
  whole = _batches(kinds[kind], 2, 7)
  shares = [_batches(kinds[kind], 2, 7, (worker, count)) for worker in range(count)]
  assert len(whole) == 5
  for step, wanted in enumerate(whole):
    assert all(len(share[step][0]) == BATCH // count for share in shares)
    for place in range(3):  # index, augmented pixels, labels
      found = np.concatenate([share[step][place] for share in shares])
      np.testing.assert_array_equal(found, wanted[place])


def test_shares_of_steps_that_run_on_the_device(kinds):
  held = kinds["held"]
  for worker in range(2):
    shard = worker, 2
    feed = feeds.TrainingFeed(held, held.train, BATCH, SEED, shard=shard)
    wanted = [batch["index"].numpy() for batch in feed.batches(2, 7)]
    np.testing.assert_array_equal(feed.held_steps(2, 7).index, wanted)


def test_shares_that_cannot_be(kinds):
  for shard in ((2, 2), (-1, 2), (0, 5), (0, 0)):
    for whole in kinds.values():
      with pytest.raises(errors.InputError, match="`shard` must be"):
        _batches(whole, 0, 1, shard)
