"""A streamed image that breaks while a run trains: it is named, and the run goes on once whole."""

import numpy as np
import pytest
from PIL import Image

from tfdynnas import config
from tfdynnas import errors
from tfdynnas import jobs

CONFIGS = (config.SpaceConfig(channels=2, cells=1), config.SupernetConfig(epochs=2, batch=4),
           config.DeviceConfig(checkpoint_steps=1))


@pytest.fixture
def images(tmp_path):
  """A folder of 12 training images, 4 to validate and 4 to test, of two classes."""
  rng = np.random.default_rng(0)
  for number in range(20):
    part = "train" if number < 12 else "valid" if number < 16 else "test"
    place = tmp_path / "images" / part / "ab"[number % 2] / f"{number:02}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(place)
  return tmp_path / "images"


def _stop(step, steps, **logs):
  if step == 2:
    raise KeyboardInterrupt


def test_the_run_ends_by_name_and_goes_on_once_the_image_is_whole(images, tmp_path):
  broken = images / "train" / "b" / "07.png"
  content = broken.read_bytes()
  run_dir = jobs.RunDir(tmp_path / "run", create=True)
  source = config.DataConfig(image_dir=str(images), image_size="8", crop="resized")

  def train(**told):
    return jobs.train_supernet(run_dir, source, *CONFIGS, **told)

  def refused(match, **told):
    with pytest.raises(errors.InputError, match=match) as caught:
      train(**told)
    assert "\n" not in str(caught.value)

  with pytest.raises(KeyboardInterrupt):  # There is a checkpoint of step 1 then.
    train(progress=_stop)
  named = f"readable. Received: {broken}: Invalid PNG data"
  refused(named, tell=lambda text: broken.write_bytes(content[:-30]))  # Before the first step.
  broken.unlink()
  refused("fingerprint")
  broken.write_bytes(content)
  _, rows = train()
  assert [row["step"] for row in rows] == [3, 6]
  run_dir.close()
