"""A streamed image that breaks within a training ends the launcher in one line, its last."""

import io

import numpy as np
from PIL import Image

from tests.tools import launcher


def _fill(folder):
  """12 images to train, 4 to validate, 4 to test; of one JPEG libjpeg says that it is corrupt."""
  rng = np.random.default_rng(0)
  for number in range(20):
    part = "train" if number < 12 else "valid" if number < 16 else "test"
    place = folder / part / "ab"[number % 2] / f"{number:02}.{'jpg' if number == 1 else 'png'}"
    place.parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
    image.save(file, "JPEG" if number == 1 else "PNG")
    content = file.getvalue()
    place.write_bytes(content[:-2] + bytes(100) + content[-2:] if number == 1 else content)


def test_its_line_is_the_last(tmp_path):
  _fill(tmp_path / "images")
  broken = tmp_path / "images" / "train" / "b" / "07.png"
  process = launcher.start(
      "train_supernet", f"--image_dir={tmp_path / 'images'}", "--image_size=8", "--crop=resized",
      "--channels=2", "--cells=1", "--epochs=2", "--batch=4", f"--run_dir={tmp_path / 'run'}")
  launcher.wait_for(tmp_path / "run" / "data.txt", process)  # The last file before the first step.
  broken.write_bytes(broken.read_bytes()[:-30])
  lines = process.communicate()[1].splitlines()
  assert process.returncode == 2, lines
  assert lines[-1].startswith("train_supernet.py: Every image must be readable. "
                              f"Received: {broken}: Invalid PNG data"), lines
  assert sum(line.startswith("train_supernet.py: ") for line in lines) == 1, lines
