"""The MobileNet space through the launchers: from the supernet to a servable, and in parts."""

import json

import numpy as np
import pytest

from tests.tools import launcher
from tfdynnas import data

tf = pytest.importorskip("tensorflow")

SPACE = ("--dataset=digits", "--space=mobilenet", "--width=0.25", "--small", "--epochs=1",
         "--batch=128")
SEARCH = ("--trials=4", "--population=2", "--parents=1", "--mutants=1", "--crossovers=1",
          "--score_images=64", "--score_batch=32")


def test_the_chain_ends_in_a_servable_that_is_the_network_found(tmp_path):
  run = tmp_path / "run"
  flags = (*SPACE, *SEARCH, "--sampler=pada", "--max_macs=900000", "--subnet_epochs=2",
           "--subnet_l2_on=kernels", "--subnet_ema=0.9", "--name=layers", f"--run_dir={run}")
  printed = launcher.succeed("nas", *flags)
  found, again, result = (json.loads((run / name).read_text()) for name in (
      "search/found.json", "search/recalibrated.json", "subnet/result.json"))
  assert found["arch"] == again["arch"] == result["arch"] and found["macs"] <= 900_000
  assert found["string"] in printed and len(found["arch"]) == 21
  assert json.loads((run / "supernet" / "method.json").read_text())["groups"] in (6, 7)
  serve = tf.saved_model.load(str(run / "servable" / "layers" / "1"))
  test = data.digits().test
  answer = serve.signatures["serving_default"](image=tf.cast(test.images, tf.float32))
  right = np.mean(answer["class_id"].numpy() == test.labels)
  assert right == pytest.approx(result["accuracy"], abs=1.5 / test.size)


def test_few_shot_parts_share_a_layers_choices_between_them(tmp_path):
  flags = (*SPACE, "--few_shot_decision=1", "--few_shot_groups=0,1,2,3,4;5,6",
           f"--run_dir={tmp_path / 'run'}")
  launcher.succeed("train_few_shot", *flags)
  printed = launcher.succeed("rank", *flags, "--archs=sample:6", *SEARCH[-2:])
  assert "6 archs" in printed
