"""Orders, splits and the feeds of held sets."""

import hashlib
import json

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors
from tfdynnas.data import order
from tfdynnas.data import split


def test_every_image_comes_once_and_the_last_batch_is_filled_from_the_start():
  steps = data.epoch_order(seed=1, epoch=2, size=25_000, batch=64)
  assert steps.shape == (391, 64) and steps.dtype == np.int32
  flat = steps.ravel()
  assert sorted(flat[:25_000]) == list(range(25_000))
  np.testing.assert_array_equal(flat[25_000:], flat[:24])


def test_a_batch_larger_than_the_set_wraps_around_as_often_as_needed():
  (steps,) = data.epoch_order(seed=0, epoch=0, size=3, batch=8)
  assert sorted(steps[:3]) == [0, 1, 2]
  np.testing.assert_array_equal(steps, [*steps[:3], *steps[:3], *steps[:2]])


def test_order_is_the_sorted_philox_words_of_the_key():
  words = np.random.Philox(key=np.array([7, 3], np.uint64)).random_raw(10)
  expected = sorted(range(10), key=lambda place: words[place])
  np.testing.assert_array_equal(data.epoch_order(7, 3, 10, 10)[0], expected)


def test_seeds_epochs_and_purposes_differ():
  orders = [order.permutation(0, 50), order.permutation(1, 50), order.permutation(0, 50, 1),
            order.permutation(1, 50, 1), order.permutation(0, 50, purpose=order.SPLIT)]
  assert len({tuple(places) for places in orders}) == 5


@pytest.mark.parametrize("size, batch, first, last", [(10, 4, 0, 9), (10, 4, 4, 8), (3, 8, 1, 3),
                                                      (12, 4, 5, 6), (12, 4, 5, 5)])
def test_feed_is_the_orders_of_the_epochs_and_resumes_anywhere(size, batch, first, last):
  part = data.Images(np.zeros((size, 2, 2, 3), np.uint8), np.zeros(size, np.int32))
  epochs = [data.epoch_order(5, epoch, size, batch) for epoch in range(10)]
  expected = np.concatenate(epochs)[first:last]
  feed = data.train_batches(part, batch, 5, first, last)
  assert feed.element_spec["index"].shape == (batch,)
  assert int(feed.cardinality()) == last - first
  fed = [element["index"] for element in feed.as_numpy_iterator()]
  assert len(fed) == last - first
  for found, wanted in zip(fed, expected):
    np.testing.assert_array_equal(found, wanted)


def test_eval_batches_are_all_images_in_order():
  images = np.arange(7 * 2 * 3 * 3, dtype=np.uint8).reshape(7, 2, 3, 3)
  part = data.Images(images, np.arange(7, dtype=np.int32))
  batches = list(data.eval_batches(part, 3).as_numpy_iterator())
  assert [len(labels) for _, labels in batches] == [3, 3, 1]
  np.testing.assert_array_equal(np.concatenate([images for images, _ in batches]), images)
  np.testing.assert_array_equal(np.concatenate([labels for _, labels in batches]), np.arange(7))


@pytest.mark.parametrize("arguments", [(0, 0, 0, 1), (4, -1, 0, 1), (4, 0, -1, 1), (4, 0, 2, 1)])
def test_feed_refuses(arguments):
  part = data.Images(np.zeros((4, 2, 2, 3), np.uint8), np.zeros(4, np.int32))
  with pytest.raises(errors.InputError):
    data.train_batches(part, *arguments)


def test_seeded_split_covers_all():
  train, valid = split.seeded(10, 4, 0.3)
  assert (len(train), len(valid)) == (7, 3)
  assert sorted([*train, *valid]) == list(range(10))
  assert list(train) == sorted(train) and list(valid) == sorted(valid)
  for share, size in ((0, 10), (1, 10), (0.5, 1), (0.01, 10)):
    with pytest.raises(errors.InputError):
      split.seeded(size, 4, share)


def test_stratified_split_refuses_an_empty_part():
  with pytest.raises(errors.InputError, match="at least one image"):
    split.stratified([0, 1], (0.5, 0.3, 0.2), 0)


@pytest.fixture
def originals():
  """Record ids in another order than their numbers, and labels that go with the ids."""
  numbers = np.random.default_rng(0).permutation(50_000)
  labels = np.arange(50_000) % 10
  labels[:20] = split.CIFAR10_LABELS
  return [f"train_{number:05d}" for number in numbers], labels[numbers], numbers


def _write(path, monkeypatch, layout):
  train = np.sort(np.random.default_rng(1).permutation(50_000)[:25_000])
  valid = np.setdiff1d(np.arange(50_000), train)
  digest = hashlib.md5(",".join(map(str, train)).encode()).hexdigest()
  monkeypatch.setattr(split, "CIFAR10_TRAIN", digest)
  lists = [[str(place) for place in places] for places in (train, valid)]
  path.write_text({
    "json": json.dumps({"train": ["int", lists[0]], "valid": ["int", lists[1]]}),
    "valid first": json.dumps({"valid": lists[1], "train": lists[0]}),
    "train alone": "\n".join(reversed(lists[0])),
  }[layout])
  return train, valid


@pytest.mark.parametrize("layout", ["json", "valid first", "train alone"])
def test_literature_split_goes_by_the_ids(tmp_path, monkeypatch, originals, layout):
  ids, labels, numbers = originals
  train, valid = _write(tmp_path / "split", monkeypatch, layout)
  found = split.literature(tmp_path / "split", ids, labels)
  np.testing.assert_array_equal(numbers[found[0]], train)
  np.testing.assert_array_equal(numbers[found[1]], valid)


def test_literature_split_refuses_other_records_and_other_lists(tmp_path, monkeypatch, originals):
  ids, labels, _ = originals
  path = tmp_path / "split"
  _write(path, monkeypatch, "json")
  with pytest.raises(errors.InputError, match="train_00000 to train_49999"):
    split.literature(path, [ids[0], *ids[:-1]], labels)
  with pytest.raises(errors.InputError, match="original order"):
    split.literature(path, ids, (labels + 1) % 10)
  path.write_text(path.read_text().replace('"17"', '"16"'))
  with pytest.raises(errors.InputError, match="MD5"):
    split.literature(path, ids, labels)
  with pytest.raises(errors.InputError, match="readable"):
    split.literature(tmp_path / "none", ids, labels)
