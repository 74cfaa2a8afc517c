"""Two processes that write shards to one folder."""

import signal

import numpy as np
from PIL import Image

from tests.tools import launcher


def test_of_two_one_writes_and_the_other_is_refused(tmp_path):
  rng = np.random.default_rng(0)
  for number in range(600):
    place = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(place)
  flags = (f"--image_dir={tmp_path / 'photos'}", f"--record_dir={tmp_path / 'shards'}",
           "--record_shards=2")
  first = launcher.start("make_records", *flags)
  launcher.wait_for(tmp_path / "shards" / ".shards.lock", first)
  first.send_signal(signal.SIGSTOP)  # In the middle of its work.
  second = launcher.run("make_records", *flags)
  first.send_signal(signal.SIGCONT)
  out, err = first.communicate()
  assert "`record_dir` must be free" in launcher.refusal(second)
  assert (first.returncode, err) == (0, "") and out.startswith(f"Wrote {tmp_path / 'shards'}: ")
  names = sorted(path.name for path in (tmp_path / "shards").iterdir())
  assert [name for name in names if "-of-" not in name] in ([], ["index.json"])
