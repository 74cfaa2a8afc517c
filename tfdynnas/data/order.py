"""The order in which images are seen: a pure function of (seed, epoch)."""

import numpy as np

from tfdynnas import errors

EPOCHS = 0  # Purposes of a permutation; each has its own random numbers.
SPLIT = 1


def check_seed(seed):
  """Raises InputError unless `seed` is in [0, 2**32)."""
  if not 0 <= seed < 2**32:
    raise errors.InputError(f"`seed` must be in [0, 2**32). Received: seed={seed}")


def check_steps(seed, size, batch, first_step, last_step):
  """Raises InputError unless the training steps are possible."""
  check_seed(seed)
  steps_per_epoch(size, batch)
  if not 0 <= first_step <= last_step:
    raise errors.InputError(
        f"Steps must be 0 <= first_step <= last_step. Received: {first_step=}, {last_step=}"
    )


def permutation(seed, size, stream=0, purpose=EPOCHS):
  """A permutation keyed by (seed, stream, purpose).

  It sorts raw Philox words: numpy promises that those never change, while `Generator.permutation`
  may after an update.

  Args:
    seed: int in [0, 2**32).
    size: Number of positions.
    stream: int >= 0, such as the epoch.
    purpose: EPOCHS or SPLIT.

  Returns:
    int32 [size].

  Raises:
    InputError: `seed` is out of range.
  """
  check_seed(seed)
  key = np.array([seed, stream], np.uint64)
  words = np.random.Philox(key=key, counter=[0, 0, 0, purpose]).random_raw(size)
  return np.argsort(words, kind="stable").astype(np.int32)


def steps_per_epoch(size: int, batch: int) -> int:
  """Steps of an epoch, which has every image once and fills up its last batch.

  Args:
    size: Number of images, >= 1.
    batch: Images per step, >= 1.

  Returns:
    int, ceil(size / batch).

  Raises:
    InputError: An argument is below 1.

  Example:
    print(nas.data.steps_per_epoch(size=10, batch=4))  # 3
  """
  if size < 1 or batch < 1:
    raise errors.InputError(f"`size` and `batch` must be >= 1. Received: {size=}, {batch=}")
  return -(-size // batch)


def total_steps(size, batch, epochs):
  """Steps of a whole training.

  Args:
    size: Number of images, >= 1.
    batch: Images per step, >= 1.
    epochs: int >= 1.

  Returns:
    int below 2**31, since backends count in int32.

  Raises:
    InputError: There are more steps.
  """
  steps = epochs * steps_per_epoch(size, batch)
  if steps >= 2**31:
    raise errors.InputError(
        f"A training must have fewer than 2**31 steps. Received: {epochs} epochs of {size} images "
        f"in batches of {batch}, {steps} steps"
    )
  return steps


def epoch_order(seed: int, epoch: int, size: int, batch: int) -> np.ndarray:
  """Positions of the images of one epoch, in full batches.

  Each image occurs once; the last batch is filled up from the start of the same permutation,
  cyclically. (CIFAR-10's 25 000 in batches of 64: 391 steps, the last with 24 repeats, while the
  published loop has a last batch of 40.)

  Args:
    seed: int in [0, 2**32).
    epoch: int >= 0.
    size: Number of images.
    batch: Images per step.

  Returns:
    int32 [steps, batch], steps = ceil(size / batch).

  Raises:
    InputError: An argument is out of range.

  Example:
    print(nas.data.epoch_order(seed=0, epoch=0, size=10, batch=4).shape)  # (3, 4)
  """
  steps = steps_per_epoch(size, batch)
  return np.resize(permutation(seed, size, epoch), (steps, batch))


def step_orders(seed, size, batch, first_step, last_step):
  """Yields the orders of the steps from `first_step` to before `last_step`, epoch by epoch.

  Args:
    seed: int in [0, 2**32).
    size: Number of images.
    batch: Images per step.
    first_step: Global step, >= 0.
    last_step: Global step, >= first_step.

  Yields:
    int32 [wanted steps of the epoch, batch].
  """
  steps = steps_per_epoch(size, batch)
  while first_step < last_step:
    epoch, start = divmod(first_step, steps)
    stop = min(steps, start + last_step - first_step)
    yield epoch_order(seed, epoch, size, batch)[start:stop]
    first_step += stop - start
