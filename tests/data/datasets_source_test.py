"""A user's own datasets, held and streamed."""

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors

tf = pytest.importorskip("tensorflow")

IMAGES = np.random.default_rng(0).integers(0, 256, (600, 4, 5, 3), np.uint8)
LABELS = (np.arange(600) % 7).astype(np.int64)
NAMES = tuple("abcdefg")


def _dataset(images=IMAGES, labels=LABELS):
  return tf.data.Dataset.from_tensor_slices((images, labels))


def _feed(part, *arguments):
  return list(data.train_batches(part, *arguments).as_numpy_iterator())


def test_held_parts_are_the_datasets():
  loaded = data.from_dataset(_dataset(), _dataset(IMAGES[:9], LABELS[:9]), class_names=NAMES)
  np.testing.assert_array_equal(loaded.train.images, IMAGES)
  np.testing.assert_array_equal(loaded.train.labels, LABELS)
  np.testing.assert_array_equal(loaded.valid.images, IMAGES[:9])
  assert loaded.test is None and loaded.record["sizes"]["test"] == 0
  assert loaded.class_names == NAMES and loaded.record["split"] == "datasets"


def test_validation_is_a_seeded_share_of_train():
  loaded = data.from_dataset(_dataset(), valid_share=0.25, seed=3)
  assert (loaded.train.size, loaded.valid.size) == (450, 150)
  both = np.concatenate([loaded.train.images, loaded.valid.images])
  assert sorted(map(bytes, both)) == sorted(map(bytes, IMAGES))
  assert loaded.class_names == tuple("0123456")
  assert loaded.record["split"] == "seeded permutation"


def test_gray_images_get_three_equal_colours():
  loaded = data.from_dataset(_dataset(IMAGES[..., :1]))
  assert loaded.train.images.shape[1:] == (4, 5, 3)
  assert (loaded.train.images == loaded.train.images[..., :1]).all()


def test_stream_shows_every_image_once_an_epoch_and_resumes_anywhere():
  held = data.from_dataset(_dataset(), class_names=NAMES)
  streamed = data.from_dataset(_dataset(), class_names=NAMES, held_bytes=0)
  assert isinstance(streamed.train, data.Stream) and streamed.train.size == 300
  whole = _feed(streamed.train, 32, 4, 0, 25)  # 10 steps an epoch.
  for element in whole:
    np.testing.assert_array_equal(element["image"], held.train.images[element["index"]])
    np.testing.assert_array_equal(element["label"], held.train.labels[element["index"]])
  first, second = (np.concatenate([element["index"] for element in whole[start:start + 10]])
                   for start in (0, 10))
  for epoch in (first, second):
    assert sorted(epoch[:300]) == list(range(300))
    np.testing.assert_array_equal(epoch[300:], epoch[:20])
  assert (first != second).mean() > 0.9 and (first[:300] != np.arange(300)).mean() > 0.9
  for start, stop in ((7, 13), (10, 11), (5, 5)):
    part = _feed(streamed.train, 32, 4, start, stop)
    assert len(part) == stop - start
    for found, wanted in zip(part, whole[start:stop]):
      np.testing.assert_array_equal(found["index"], wanted["index"])
      np.testing.assert_array_equal(found["image"], wanted["image"])


def test_stream_does_not_depend_on_tensorflows_seed():
  streamed = data.from_dataset(_dataset(), class_names=NAMES, held_bytes=0)
  found = []
  for seed in (1, 2):
    tf.random.set_seed(seed)
    found.append(_feed(streamed.train, 32, 4, 3, 5))
  other = _feed(streamed.train, 32, 5, 3, 5)
  for one, two, three in zip(*found, other):
    np.testing.assert_array_equal(one["index"], two["index"])
    assert (one["index"] != three["index"]).any()


def test_stream_passes_in_fixed_order_with_static_shapes():
  held = data.from_dataset(_dataset(), class_names=NAMES)
  streamed = data.from_dataset(_dataset(), class_names=NAMES, held_bytes=0)
  batches = list(data.eval_batches(streamed.valid, 128).as_numpy_iterator())
  assert [len(labels) for _, labels in batches] == [128, 128, 44]
  images, labels = (np.concatenate(parts) for parts in zip(*batches))
  np.testing.assert_array_equal(images, held.valid.images)
  np.testing.assert_array_equal(labels, held.valid.labels)
  spec = data.train_batches(streamed.train, 32, 0, 0, 1).element_spec
  assert {name: tuple(part.shape) for name, part in spec.items()} == {
    "image": (32, 4, 5, 3), "label": (32,), "index": (32,)}
  np.testing.assert_allclose(streamed.mean, held.mean, rtol=1e-5)
  np.testing.assert_allclose(streamed.std, held.std, rtol=1e-5)


def test_unusable_datasets():
  for dataset in (
    _dataset().batch(2), _dataset().map(lambda image, label: {"image": image, "label": label}),
    _dataset().map(lambda image, label: (tf.cast(image, tf.float32), label)),
    _dataset(LABELS, LABELS), _dataset().filter(lambda image, label: True), _dataset().repeat(),
    _dataset(IMAGES, LABELS - 1), _dataset(IMAGES[..., :2]),
  ):
    with pytest.raises(errors.InputError):
      data.from_dataset(dataset)
  with pytest.raises(errors.InputError, match="0 to 6"):
    data.from_dataset(_dataset(), class_names=NAMES[:-1])
  for name, rule in (("a\n", "of one line"), ("\ud800", "of UTF-8"), ("\0", "without NUL"),
                     (7, "a string")):
    with pytest.raises(errors.InputError, match=f"name of a class must be {rule}.*tf.data"):
      data.from_dataset(_dataset(), class_names=[*NAMES[:-1], name])
  with pytest.raises(errors.InputError, match="one size"):
    data.from_dataset(_dataset(), _dataset(IMAGES[:, 1:]))


@pytest.mark.parametrize("held_bytes", [0, data.HELD_BYTES])
def test_a_dataset_of_another_order_each_time_is_refused(held_bytes):
  shuffled = _dataset().shuffle(600, seed=1)
  with pytest.raises(errors.InputError, match="the same images in the same order.*first 256"):
    data.from_dataset(shuffled, class_names=NAMES, held_bytes=held_bytes)


@pytest.mark.parametrize("labels", [LABELS + 1, LABELS * 2, LABELS * 0])
def test_labels_that_leave_a_class_without_images(labels):
  with pytest.raises(errors.InputError, match="Labels must be 0, 1 and so on, of two or more"):
    data.from_dataset(_dataset(labels=labels))
