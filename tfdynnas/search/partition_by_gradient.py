"""GM-NAS: the decision whose choices pull the shared weights apart most, and its best halves.

Source: Hu et al., generalizing few-shot NAS with gradient matching (ICLR 2022), the binary split.
"""

import itertools

import numpy as np

from tfdynnas import errors
from tfdynnas.training.probes import cosines

MOST_CHOICES = 20  # They can be halved in 92 378 ways.


def best_halves(distances):
  """Cuts choices into two halves with the least distances within; their sizes differ by <= 1.

  Args:
    distances: float [n, n], n >= 2, symmetric: of each pair of choices.

  Returns:
    (groups, cut): two tuples of ascending ints, the one with choice 0 first; the sum of the
    distances across the groups, which is the total less the distances within.

  Raises:
    InputError: There are fewer than 2 choices, or too many to try all halves.
  """
  distances = np.asarray(distances, np.float64)
  count = len(distances)
  if not 2 <= count <= MOST_CHOICES:
    raise errors.InputError(
        f"A decision to cut in halves must have 2 to {MOST_CHOICES} choices. Received: {count}"
    )
  sizes = {count // 2, -(-count // 2)}
  firsts = [
      first for size in sizes for first in itertools.combinations(range(count), size)
      if first[0] == 0  # The other half would give the same cut again.
  ]
  cuts = [_across(distances, first) for first in firsts]
  best = int(np.argmax(cuts))  # The total is fixed: least within is most across.
  rest = tuple(choice for choice in range(count) if choice not in firsts[best])
  return (firsts[best], rest), float(cuts[best])


def _across(distances, first):
  """Sum of the distances between choices in a group and choices outside it."""
  rest = [choice for choice in range(len(distances)) if choice not in first]
  return distances[np.ix_(first, rest)].sum()


def choice_distances(gradients, owners, decision):
  """Distances between the choices of a decision, by the gradients of all other decisions' weights.

  Args:
    gradients: List per choice of the gradient with it on the path, a list of float arrays, one per
      trainable weight.
    owners: As `Supernet.row_decisions` returns; weights without an owner (stem, reductions,
      classifier) are left out, and so are the decision's own.
    decision: int.

  Returns:
    float64 [choices, choices], 1 - cosine; 1 where a gradient is zero, 0 on the diagonal.
  """
  kept = [
      [part[own != decision] for part, own in zip(gradient, owners) if own is not None]
      for gradient in gradients
  ]
  found = 1 - np.nan_to_num(cosines.cosines(kept, kept), nan=0.0)
  np.fill_diagonal(found, 0.0)
  return found


def mean_distances(gradient, space, owners, batches, seed, progress=None):
  """Distances between the choices of each decision, averaged over uniformly drawn paths.

  Args:
    gradient: Callable (images, labels, arch) -> list of float arrays, one per trainable weight.
    space: Space.
    owners: As `Supernet.row_decisions` returns.
    batches: Iterable of (images, labels), one for each path.
    seed: int >= 0, of the paths.
    progress: Callable (number of paths done) or None.

  Returns:
    List per decision of float64 [allowed choices, allowed choices].
  """
  rng = np.random.Generator(np.random.Philox(key=[seed, 3]))
  sums, done = [np.zeros((len(own), len(own))) for own in space.allowed], 0
  for images, labels in batches:
    path, known = space.sample(rng), {}
    for decision, own in enumerate(space.allowed):
      archs = [path[:decision] + (choice,) + path[decision + 1:] for choice in own]
      for arch in archs:
        if arch not in known:  # The path itself occurs at every decision.
          known[arch] = gradient(images, labels, arch)
      sums[decision] += choice_distances([known[arch] for arch in archs], owners, decision)
    done += 1
    if progress:
      progress(done)
  return [total / done for total in sums]
