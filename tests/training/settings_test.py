"""The way back from a compiled supernet to the settings that make it."""

import keras
import numpy as np
import pytest

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.training import recipe
from tfdynnas.training import settings

SPACE = spaces.nasbench201(channels=2, cells=1, image_size=8)
STEPS, COUNTS = 30, np.arange(1, 11)


def _make(asked):
  return recipe.make_supernet(asked, SPACE, STEPS, images=50, counts=COUNTS)


@pytest.mark.parametrize("given", [
    {"seed": 3, "gamma_max": 2.5, "split_decision": 2, "momentum": 0.8, "l2": 0.0, "max_norm": 0.0},
    {"schedule": "reversed", "gamma_max": 4.0, "off_path": "frozen", "label_smoothing": 0.1},
    {"schedule": "cosine", "sampler": "stratified", "class_weights": "balanced"},
    {"schedule": "constant", "learning_rate": 0.05, "momentum_groups": "random"},
    {"schedule": "polynomial", "gamma": 2.0, "sampler": "pa", "precision": "mixed_bfloat16"},
    {"method": "fairnas", "calr_on": "loss", "learning_rate": 0.1},
    {"method": "sandwich", "momentum_groups": "shared", "random_paths": 3},
    {"sampler": "pada", "epochs": 3},
    {"sampler": "budget", "budget": "macs:11000-20000,20000-40000.5"},
], ids=str)
def test_settings_are_those_that_made_the_supernet(given):
  asked = config.SupernetConfig(**given)
  made = _make(asked)
  found = settings.of(made)
  again = config.SupernetConfig.from_dict({**asked.as_dict(), **found})
  assert again.as_dict() == asked.as_dict()
  assert set(given) - {"epochs"} <= set(found)
  assert settings.differences(made, _make(asked)) == ({}, {})


def test_what_settings_cannot_say_is_a_difference():
  asked = config.SupernetConfig()
  made = _make(asked)
  own = supernet_lib.Supernet(SPACE)
  own.compile(
      optimizers.MS(optimizers.CaLR(0.025, STEPS), nesterov=False, groups=1), jit_compile=True,
      method=methods.SinglePath(seed=5, split_decision=made.method.split_decision))
  here, there = settings.differences(own, made)
  wanted = {"optimizer.config.nesterov": (False, True), "optimizer.config.groups": (1, 5),
            "jit_compile": (True, False), "method.config.seed": (5, 0)}
  assert {name: (here[name], there[name]) for name in here} == wanted


@pytest.mark.parametrize("part, message", [
    ({"optimizer": keras.optimizers.SGD(0.1)}, "`optimizer` if it is MS. Received: SGD"),
    ({"optimizer": optimizers.MS(keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.5))},
     "`learning_rate` if it is CaLR, .* Received: ExponentialDecay"),
])
def test_what_no_recipe_makes_is_refused_by_name(part, message):
  supernet = supernet_lib.Supernet(SPACE)
  supernet.compile(**part, method=methods.SinglePath())
  with pytest.raises(errors.InputError, match=message):
    settings.of(supernet)
