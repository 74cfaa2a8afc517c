"""A space of layers through the launchers: from the supernet to a servable, and in parts."""

import json

import numpy as np
import pytest

from tests import small_layers
from tests.tools import launcher
from tfdynnas import data
from tfdynnas import spaces

tf = pytest.importorskip("tensorflow")

SPACE = ("--dataset=digits", "--space=tests.small_layers:make_space", "--epochs=1", "--batch=128")
SEARCH = ("--trials=4", "--population=2", "--parents=1", "--mutants=1", "--crossovers=1",
          "--score_images=64", "--score_batch=32")
MACS = 24_000  # Half of the archs cost no more.


def test_the_chain_ends_in_a_servable_that_is_the_network_found(tmp_path):
  run = tmp_path / "run"
  flags = (*SPACE, *SEARCH, "--sampler=pada", f"--max_macs={MACS}", "--subnet_epochs=2",
           "--subnet_l2_on=kernels", "--subnet_ema=0.9", "--name=layers", f"--run_dir={run}")
  printed = launcher.succeed("nas", *flags)
  found, again, result = (json.loads((run / name).read_text()) for name in (
      "search/found.json", "search/recalibrated.json", "subnet/result.json"))
  assert found["arch"] == again["arch"] == result["arch"]
  assert found["macs"] == small_layers.SPACE.cost(found["arch"], "macs") <= MACS
  assert found["string"] in printed and len(found["arch"]) == 4
  assert json.loads((run / "supernet" / "method.json").read_text())["groups"] in (2, 3)
  serve = tf.saved_model.load(str(run / "servable" / "layers" / "1"))
  test = data.digits().test
  answer = serve.signatures["serving_default"](image=tf.cast(test.images, tf.float32))
  right = np.mean(answer["class_id"].numpy() == test.labels)
  assert right == pytest.approx(result["accuracy"], abs=1.5 / test.size)


def test_few_shot_parts_share_a_layers_choices_between_them(tmp_path):
  flags = (*SPACE, "--few_shot_decision=1", "--few_shot_groups=0,1;2",
           f"--run_dir={tmp_path / 'run'}")
  launcher.succeed("train_few_shot", *flags)
  printed = launcher.succeed("rank", *flags, "--archs=sample:6", *SEARCH[-2:])
  assert "6 archs" in printed


def test_mobilenet_is_of_the_size_that_its_flags_say(tmp_path):
  size = ("--channels=24", "--width=0.25", "--small", "--max_macs=9")
  result = launcher.run("nas", "--dataset=digits", "--space=mobilenet", *size,
                        f"--run_dir={tmp_path / 'run'}")
  space = spaces.mobilenet(channels=24, width=0.25, small=True, image_size=8, classes=10)
  assert f"{space.bounds('macs')[0]}" in launcher.refusal(result)
