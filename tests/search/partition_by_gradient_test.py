"""GM-NAS: halves of planted clusters, distances by hand, and whose the rows of the weights are."""

import itertools

import numpy as np
import pytest

from tfdynnas import errors
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.backend import current
from tfdynnas.search import partition_by_gradient


def _planted(groups, near=0.1, far=1.0):
  """Distances of choices that are near those of their group and far from all others."""
  count = sum(map(len, groups))
  distances = np.full((count, count), far)
  for group in groups:
    distances[np.ix_(group, group)] = near
  np.fill_diagonal(distances, 0.0)
  return distances


@pytest.mark.parametrize("groups,cut", [
    (((0, 3), (1, 2, 4)), 6.0), (((0, 2, 4), (1, 3)), 6.0), (((0, 1), (2, 3, 4)), 6.0),
    (((0, 3), (1, 2)), 4.0), (((0,), (1,)), 1.0), (((0,), (1, 2)), 2.0),
])
def test_planted_clusters_are_found(groups, cut):
  found, score = partition_by_gradient.best_halves(_planted(groups))
  assert found == groups and score == pytest.approx(cut)


def test_halves_are_the_best_of_all():
  rng = np.random.default_rng(0)
  distances = np.triu(rng.uniform(size=[5, 5]), 1)
  distances += distances.T
  _, score = partition_by_gradient.best_halves(distances)
  within = [
      sum(distances[pair] for pair in itertools.combinations(group, 2))
      + sum(distances[pair] for pair in itertools.combinations(set(range(5)) - set(group), 2))
      for group in itertools.combinations(range(5), 2)
  ]
  assert score == pytest.approx(distances.sum() / 2 - min(within))


@pytest.mark.parametrize("count", [1, 21])
def test_too_few_and_too_many_choices_are_refused(count):
  with pytest.raises(errors.InputError, match=f"2 to 20 choices. Received: {count}"):
    partition_by_gradient.best_halves(np.zeros([count, count]))


def test_distances_leave_out_the_decision_itself_and_what_all_share():
  owners = [None, np.array([0, 1, 1])]
  gradients = [  # Of decision 0: its own row and the stem would turn every cosine.
      [np.array([9.0]), np.array([7.0, 1.0, 0.0])],
      [np.array([-9.0]), np.array([0.0, 0.0, 2.0])],
      [np.array([0.0]), np.array([5.0, 3.0, 4.0])],
      [np.array([1.0]), np.array([1.0, 0.0, 0.0])],  # Nothing reaches the others: 1 from all.
  ]
  found = partition_by_gradient.choice_distances(gradients, owners, 0)
  expected = [[0, 1, 0.4, 1], [1, 0, 0.2, 1], [0.4, 0.2, 0, 1], [1, 1, 1, 0]]
  np.testing.assert_allclose(found, expected, atol=1e-12)


def test_distances_are_means_over_paths_with_one_batch_each():
  space = spaces.Space(
      "two", (spaces.Decision("a", ("x", "y")), spaces.Decision("b", ("x", "y", "z"))), {})
  asked = []

  def gradient(images, labels, arch):
    asked.append((images, arch))
    # Choices of `a` pull b's row alike on batch 0, against one another on batch 1.
    return [np.array([1.0, -1.0 if arch[0] and images else 1.0])]

  found = partition_by_gradient.mean_distances(
      gradient, space, [np.array([0, 1])], [(0, 0), (1, 1)], seed=0)
  np.testing.assert_allclose(found[0], [[0, 1], [1, 0]])
  np.testing.assert_allclose(found[1], np.zeros([3, 3]))
  assert len(asked) == len(set(asked)) == 2 * (2 + 3 - 1)  # The path itself is in both.


def test_rows_belong_to_their_decisions():
  operations = [
      spaces.Operation("skip", "identity"), spaces.Operation("first", "conv", 3),
      spaces.Operation("second", "conv", 3), spaces.Operation("point", "conv", 1),
  ]
  skeleton = spaces.Skeleton(channels=2, cells=2, image_size=8, classes=3)
  space = spaces.cell_space("own", operations, nodes=3, skeleton=skeleton)
  network = supernet_lib.Supernet(space)
  owners = network.row_decisions()
  for decision, choice in itertools.product(range(3), (1, 2, 3)):
    arch = [0] * 3
    arch[decision] = choice
    masks = [np.array(mask) for mask in network.on_path(arch)]
    rows = [own[mask] for own, mask in zip(owners, masks) if own is not None]
    assert sorted(set(np.concatenate(rows))) == [decision]
  gradient = current.compiled(
      lambda *args: current.path_gradient(network, *args), network.trainable_variables
  )
  found = gradient(np.ones([2, 8, 8, 3], np.float32), np.array([0, 1]), np.array([0, 3, 0]))
  moved = [own[np.any(np.array(part) != 0, axis=(1, 2, 3, 4))]
           for own, part in zip(owners, found) if own is not None]
  assert set(np.concatenate(moved)) <= {1}
