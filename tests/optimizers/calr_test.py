"""CaLR against the published constants and rates."""

import keras
import numpy as np
import pytest
from keras import ops

from tfdynnas import errors
from tfdynnas import optimizers
from tfdynnas.optimizers import calr

BOUNDS = (72752, 1524272)
STEPS = 97750


@pytest.mark.parametrize("gamma_max, slope, offset", [
    (4, -1.2326541723, 17.7993313204), (2, -0.4930616689, 7.5197325282),
    (3, -0.8765540781, 12.8128578279), (5, -1.5777973405, 22.6631440901),
    (8, -2.5885737618, 36.9785957729),
])
def test_coefficients(gamma_max, slope, offset):
  np.testing.assert_allclose(calr.coefficients(*BOUNDS, gamma_max), (slope, offset), rtol=1e-9)


@pytest.mark.parametrize("complexity, expected", [
    (72752, 4.0), (99632, 3.612420), (341552, 2.093770), (829504.92, 1.0), (852272, 0.966624),
    (1524272, 0.25), (333007, 2.125),
])
def test_gamma(complexity, expected):
  value = float(ops.convert_to_numpy(calr.gamma(complexity, *BOUNDS, 4.0)))
  assert abs(value - expected) < 5e-6


@pytest.mark.parametrize("complexity, rates", [
    (72752, [.025, 2.460239361e-2, 7.910372045e-3, 1.5625e-3, 9.766424257e-5, 6.4e-12,
             2.738249042e-22]),
    (341552, [.025, 2.479108097e-2, 1.368841747e-2, 5.856692996e-3, 1.372092891e-3,
              2.383446193e-7, 8.908070262e-13]),
    (1524272, [.025, 2.497496241e-2, 2.326516115e-2, 2.102241038e-2, 1.767775995e-2,
               6.287167148e-3, 1.413874355e-3]),
])
def test_rates_of_the_paper(complexity, rates):
  schedule = optimizers.CaLR(0.025, STEPS, *BOUNDS)
  schedule.tell(complexity)
  steps = (0, 391, 24437, 48875, 73312, 97359, 97749)
  seen = [float(ops.convert_to_numpy(schedule(step))) for step in steps]
  np.testing.assert_allclose(seen, rates, rtol=1e-4)
  assert float(ops.convert_to_numpy(schedule(STEPS))) == 0.0


def test_mean_rate_over_uniform_archs_is_a_third_of_the_first():
  from tfdynnas import spaces
  space = spaces.nasbench201()
  costs = np.array([space.cost(space.arch(i), "complexity") for i in range(space.size)])
  gammas = ops.convert_to_numpy(calr.gamma(costs, *BOUNDS, 4.0))
  assert abs(np.mean(1 / (gammas + 1)) - 0.33839) < 1e-5
  assert abs(np.mean(gammas < 1) - 0.02976) < 1e-5


def test_what_is_bound_later_counts_and_what_was_given_stays():
  """gamma is 4 at the least complexity: (1 - 1 / 2) ** 4 of the rate half-way."""
  schedule = optimizers.CaLR(0.8, steps=10)
  schedule.bind(steps=1000, c_min=100.0, c_max=900.0)
  assert (schedule.steps, schedule.c_min, schedule.c_max) == (10, 100.0, 900.0)
  schedule.tell(100.0)
  assert float(schedule(5)) == pytest.approx(0.8 / 16)


def test_config_round_trip():
  made = optimizers.CaLR(0.05, 10, 1, 7, 3.0)
  again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
  assert again.get_config() == made.get_config()


@pytest.mark.parametrize("wrong", [
    {"learning_rate": 0}, {"steps": 0}, {"c_min": 0}, {"c_max": 1}, {"gamma_max": 0}, {"paths": 0},
    {"learning_rate": "0.1"}, {"steps": 2.5}, {"c_min": float("nan")},
    {"c_max": float("inf")}, {"c_max": "7"}, {"gamma_max": [4]}, {"paths": 1.5},
])
def test_wrong_settings_are_refused(wrong):
  good = {"learning_rate": 0.1, "steps": 10, "c_min": 1, "c_max": 7, "gamma_max": 4}
  with pytest.raises(errors.InputError, match="Received"):
    optimizers.CaLR(**{**good, **wrong})
