"""What schedule, optimizer and method were not given, they get from the supernet that trains."""

import keras
import numpy as np
import pytest

from tfdynnas import data
from tfdynnas import errors
from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib

SPACE = spaces.cell_space(
    "three", spaces.nasbench201().operations, nodes=3, skeleton=spaces.Skeleton(2, 1, 8)
)
BOUNDS = SPACE.bounds("complexity")
METHODS = {
    methods.SinglePath: 1, methods.FairNAS: 5, methods.Sandwich: 4, methods.PathImportance: 1,
}


def images(count=12):
  rng = np.random.default_rng(0)
  return rng.normal(size=[count, 8, 8, 3]).astype(np.float32), np.arange(count) % 10


def compiled(method, **settings):
  made = supernet_lib.Supernet(SPACE)
  made.compile(optimizers.MS(optimizers.CaLR(0.05, **settings)), method=method)
  return made


def schedule(model):
  return keras.saving.deserialize_keras_object(model.optimizer.get_config()["learning_rate"])


@pytest.mark.parametrize("kind, paths", METHODS.items(), ids=lambda kind: str(kind))
def test_compile_binds_space_bounds_paths_and_groups(kind, paths):
  method = kind()
  made = compiled(method)
  given = kind(SPACE)
  assert method.space == SPACE and method.groups == given.groups == made.optimizer.groups
  assert method.get_config() == given.get_config()
  bound = schedule(made)
  assert (bound.c_min, bound.c_max, bound.paths, bound.steps) == (*BOUNDS, paths, None)
  assert bound.complexity.shape == (() if paths == 1 else (paths,))
  assert made.loss.name == "loss" and made.loss.get_config()["from_logits"]


def test_fit_binds_the_steps_of_the_whole_training_and_is_what_explicit_values_give():
  weights = []
  for settings in ({}, {"steps": 9, "c_min": BOUNDS[0], "c_max": BOUNDS[1], "paths": 1}):
    made = compiled(methods.SinglePath(), **settings)
    history = made.fit(*images(), batch_size=4, epochs=3, shuffle=False, verbose=0)
    assert len(history.history["accuracy"]) == 3 and schedule(made).steps == 9
    weights.append(made.get_weights())
  for late, early in zip(*weights, strict=True):
    np.testing.assert_array_equal(late, early)
  with pytest.raises(errors.InputError, match="Received: a `fit` to step 18"):
    compiled_twice = compiled(methods.SinglePath())
    compiled_twice.fit(*images(), batch_size=4, epochs=3, verbose=0)
    compiled_twice.fit(*images(), batch_size=4, epochs=3, verbose=0)


def test_fit_takes_data_and_says_how_it_went():
  digits = data.digits()
  made = supernet_lib.Supernet(SPACE, seed=2)
  made.compile(optimizers.MS(optimizers.CaLR(0.05)), method=methods.SinglePath())
  made.fit(digits, epochs=2, batch_size=128, verbose=0)
  assert schedule(made).steps == 2 * -(-digits.train.size // 128) == int(made.optimizer.iterations)
  again = supernet_lib.Supernet(SPACE, seed=2)
  again.compile(optimizers.MS(optimizers.CaLR(0.05)), method=methods.SinglePath())
  again.fit(digits.batches("train", 128, seed=2), epochs=2, verbose=0)
  for one, two in zip(made.get_weights(), again.get_weights(), strict=True):
    np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


def test_what_is_given_wins():
  made = compiled(methods.SinglePath(), steps=100, c_min=1, c_max=10**9)
  made.fit(*images(), batch_size=4, verbose=0)
  made.fit(*images(), batch_size=4, verbose=0)  # Its 100 steps are not over.
  bound = schedule(made)
  assert (bound.steps, bound.c_min, bound.c_max) == (100, 1, 10**9)
  two = supernet_lib.Supernet(SPACE)
  two.compile(optimizers.MS(0.1, groups=7), method=methods.SinglePath(split_decision=1))
  assert two.optimizer.groups == 7 and two.method.split_decision == 1
  with pytest.raises(errors.InputError, match="paths=5"):
    compiled(methods.FairNAS(), paths=1)


def test_a_saved_supernet_has_what_was_bound(tmp_path):
  made = compiled(methods.Sandwich())
  made.fit(*images(), batch_size=4, epochs=2, verbose=0)
  made.save(tmp_path / "a.keras")
  again = keras.saving.load_model(tmp_path / "a.keras")
  assert schedule(again).get_config() == schedule(made).get_config()
  assert again.optimizer.groups == made.optimizer.groups
  assert again.method.get_config() == made.method.get_config()
  assert schedule(again).steps == 6


def test_late_images_of_pada_are_those_of_the_fit():
  method = methods.PADA()
  made = compiled(method)
  method.bind_fit(made.optimizer, done=0, steps=6, epochs=2, images=12)
  assert method.images.importance.shape == (12,) and method.steps_per_epoch == 3


@pytest.mark.parametrize("use, missing", [
    (lambda: optimizers.CaLR(0.1)(0), "CaLR needs `steps`, `c_min`, `c_max`"),
    (lambda: optimizers.CaLR(0.1, c_min=1, c_max=2).rate(0, 1.0), "CaLR needs `steps`: give"),
    (lambda: optimizers.CaLR(0.1, steps=3).tell(1.0), "CaLR needs `c_min`, `c_max`"),
    (lambda: optimizers.MS(0.1).build([keras.Variable(np.ones(2))]), "MS needs `groups`"),
    (lambda: methods.SinglePath().sampler(0), "SinglePath needs `space`"),
    (lambda: methods.PathImportance(SPACE).steps_per_epoch, "needs `steps` and `epochs`"),
])
def test_what_is_unbound_says_what_it_lacks(use, missing):
  with pytest.raises(errors.InputError, match=f"{missing}.*Received: none"):
    use()


def test_calr_needs_archs_that_differ():
  made = supernet_lib.Supernet(SPACE.restrict([(3,)] * 2 + [(2, 3)]).restrict([(3,)] * 3))
  with pytest.raises(errors.InputError, match="different complexity"):
    made.compile(optimizers.MS(optimizers.CaLR(0.05)), method=methods.SinglePath())
