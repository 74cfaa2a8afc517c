"""Every method trains the supernet of a layer space: on its paths, in its group, nothing else."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.small_layers import SPACE
from tfdynnas import config
from tfdynnas.training import loop
from tfdynnas.training import recipe

STEPS, BATCH = 2, 16


def trained(**settings):
  """(supernet before, supernet after, paths of its steps)."""
  made = config.SupernetConfig(epochs=1, batch=BATCH, off_path="frozen", seed=3, **settings)
  start, supernet = (recipe.make_supernet(made, SPACE, STEPS) for _ in range(2))
  loop.build(supernet, 10)
  paths = [ops.convert_to_numpy(supernet.method.sampler(step)) for step in range(STEPS)]
  rng = np.random.default_rng(0)
  images = rng.normal(size=[STEPS * BATCH, 8, 8, 3]).astype(np.float32)
  labels = rng.integers(0, 10, STEPS * BATCH).astype(np.int32)
  logs = supernet.fit(images, labels, batch_size=BATCH, verbose=0, shuffle=False).history
  assert np.isfinite(logs["loss"][0])
  return start, supernet, np.concatenate(paths)


@pytest.mark.parametrize("settings", [
    {"split_decision": 1},
    {"method": "fairnas"},
    {"method": "fairnas", "sharing": "shared"},
    {"method": "sandwich", "momentum_groups": "shared", "schedule": "cosine"},
    {"sampler": "stratified", "momentum_groups": "random", "split_decision": 1},
    {"sampler": "pa"},
    {"sampler": "budget", "budget": "complexity:{}-{}".format(*SPACE.bounds("complexity"))},
], ids=lambda settings: "_".join(map(str, settings.values()))[:30])
def test_what_is_on_a_path_moves_and_nothing_else(settings):
  start, supernet, paths = trained(**settings)
  masks = supernet.on_path(paths)
  for old, new, mask in zip(start.trainable_variables, supernet.trainable_variables, masks):
    changed = ops.convert_to_numpy(new) != ops.convert_to_numpy(old)
    mask = np.broadcast_to(ops.convert_to_numpy(mask), new.shape[:1])
    assert not changed[~mask].any() and all(row.any() for row in changed[mask]), new.path


def test_each_choice_of_the_split_decision_has_a_buffer():
  _, supernet, paths = trained(split_decision=1)
  assert supernet.optimizer.groups == 3
  used = {int(group) for group in paths[:, 1]}
  for slot in supernet.optimizer.slots:
    rows = ops.convert_to_numpy(slot)
    assert {g for g in range(3) if rows[g].any()} <= used
  stem = ops.convert_to_numpy(supernet.optimizer.slots[0])
  assert {g for g in range(3) if stem[g].any()} == used


def test_calr_has_the_bounds_of_the_space():
  made = config.SupernetConfig(seed=3)
  supernet = recipe.make_supernet(made, SPACE, STEPS)
  schedule = supernet.optimizer._learning_rate
  assert keras.saving.serialize_keras_object(schedule)["config"]["c_min"] == (
      SPACE.bounds("complexity")[0])
