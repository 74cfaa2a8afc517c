"""Running statistics of found subnets: measured anew, whatever was evaluated before."""

import numpy as np
import pytest
from keras import ops

from tests.small_layers import SPACE as LAYERS
from tfdynnas import config
from tfdynnas import data as data_lib
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.data import feeds
from tfdynnas.data.images import augment
from tfdynnas.jobs import scoring
from tfdynnas.supernet import recalibration

DATA = data_lib.digits()
CELLS = spaces.nasbench201(channels=2, cells=1, image_size=8)
SETTINGS = config.SupernetConfig(), DATA, config.ScoreConfig(score_images=300, score_batch=100)


@pytest.fixture(scope="module", params=[CELLS, LAYERS], ids=lambda space: space.name)
def case(request):
  """(supernet, three archs): weights as they begin."""
  rng = np.random.default_rng(0)
  space = request.param
  return supernet_lib.Supernet(space), [space.largest(), space.sample(rng), space.sample(rng)]


def _measured(supernet, arch):
  return scoring.recalibrated(supernet, *SETTINGS, arch)


def test_the_order_of_evaluation_does_not_matter(case):
  supernet, archs = case
  forth = [_measured(supernet, arch)["accuracy"] for arch in archs]
  back = [_measured(supernet, arch)["accuracy"] for arch in archs[::-1]]
  assert forth == back[::-1]
  again = supernet_lib.Supernet(supernet.space)  # One that has evaluated nothing yet.
  for new, old in zip(again.weights, supernet.weights):
    new.assign(old)
  assert _measured(again, archs[-1])["accuracy"] == forth[-1]


def test_it_is_what_the_network_has_that_would_be_served(case):
  supernet, archs = case
  found = _measured(supernet, archs[0])
  served = supernet.subnet(archs[0], "keras")
  recalibration.recalibrate(served, scoring.calibration_batches(DATA, 0))
  images = np.concatenate([b[0] for b in feeds.valid_batches(DATA, 300, 100, 0)])
  labels = np.concatenate([b[1] for b in feeds.valid_batches(DATA, 300, 100, 0)])
  logits = served(augment.eval_images(images, DATA.mean, DATA.std), training=False)
  right = np.mean(np.argmax(ops.convert_to_numpy(logits), axis=1) == labels)
  assert found["accuracy"] == pytest.approx(right, abs=1.5 / 300)
  assert found["images"] == 890 and found["seconds"] > 0  # Of 898, in ten batches.
