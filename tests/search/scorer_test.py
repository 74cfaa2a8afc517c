"""Scores against a plain computation; calibrated ones do not depend on how images are batched."""

import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.search import scorer as scorer_lib

SPACE = spaces.cell_space(
    "three", spaces.nasbench201().operations, nodes=3, skeleton=spaces.Skeleton(4, 1, 8)
)
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=[20, 8, 8, 3]).astype(np.float32)
LABELS = RNG.integers(0, 10, 20).astype(np.int32)
ARCHS = [SPACE.sample(RNG) for _ in range(3)]


@pytest.fixture(scope="module")
def supernet():
  return supernet_lib.Supernet(SPACE)


def batches(*cuts):
  return list(zip(np.split(IMAGES, cuts), np.split(LABELS, cuts)))


def test_score_is_that_of_the_plain_subnet_batch_by_batch(supernet):
  scorer = scorer_lib.Scorer(supernet, batches(8, 16), lambda images: images)
  for arch in ARCHS:
    right, loss = 0, 0.0
    for images, labels in batches(8, 16):
      logits = ops.convert_to_numpy(supernet.subnet(arch)(images)).astype(np.float64)
      right += (logits.argmax(axis=1) == labels).sum()
      shifted = logits - logits.max(axis=1, keepdims=True)
      chosen = shifted[np.arange(len(labels)), labels]
      loss += (np.log(np.exp(shifted).sum(axis=1)) - chosen).sum()
    score = scorer(arch)
    assert score["accuracy"] == right / 20
    assert abs(score["loss"] - loss / 20) < 1e-4


def test_the_order_of_evaluation_does_not_matter(supernet):
  scorer = scorer_lib.Scorer(supernet, batches(10), lambda images: images)
  first = [scorer(arch) for arch in ARCHS]
  assert first == [scorer(arch) for arch in reversed(ARCHS)][::-1]


def test_calibrated_scores_do_not_depend_on_the_batches(supernet):
  calibration = np.random.default_rng(5).normal(size=[16, 8, 8, 3]).astype(np.float32)
  one, two = (
      scorer_lib.Scorer(supernet, batches(*cuts), lambda images: images, calibration)
      for cuts in ((), (3, 11))
  )
  plain = scorer_lib.Scorer(supernet, batches(3, 11), lambda images: images)
  for arch in ARCHS:
    a, b = one(arch), two(arch)
    assert a["accuracy"] == b["accuracy"] and abs(a["loss"] - b["loss"]) < 1e-4
  assert any(abs(plain(arch)["loss"] - two(arch)["loss"]) > 1e-3 for arch in ARCHS)


def test_statistics_of_the_calibration_images_are_used(supernet):
  arch = ops.convert_to_tensor(np.array(ARCHS[0], np.int32))
  both = ops.convert_to_numpy(supernet(IMAGES, arch=arch, reference=12))
  alone = ops.convert_to_numpy(supernet(IMAGES[:12], arch=arch))
  np.testing.assert_allclose(both[:12], alone, atol=1e-4)


def test_nothing_to_score_on_is_refused(supernet):
  with pytest.raises(errors.InputError, match="batch"):
    scorer_lib.Scorer(supernet, [], lambda images: images)


def test_balanced_accuracy_is_the_mean_over_the_classes_and_a_batch_of_one_is_refused(
    supernet):
  logits = ops.convert_to_numpy(supernet(IMAGES, arch=ARCHS[0]))
  right = logits.argmax(axis=1) == LABELS
  shares = [right[LABELS == label].mean() for label in np.unique(LABELS)]
  score = scorer_lib.Scorer(supernet, batches(), lambda images: images)(ARCHS[0])
  assert abs(score["balanced_accuracy"] - np.mean(shares)) < 1e-12
  with pytest.raises(errors.InputError, match="one of 1"):
    scorer_lib.Scorer(supernet, batches(19), lambda images: images)
