"""Runtimes that latency is measured in run the very model, and are refused where they are not."""

import sys

import keras
import numpy as np
import pytest

from tfdynnas import config
from tfdynnas import errors
from tfdynnas.jobs import latency
from tfdynnas.jobs import runtimes
from tfdynnas.spaces import cells
from tfdynnas.supernet import pieces as pieces_lib

SPACE = cells.cell_space(
    "small", [cells.Operation("none", "zero"), cells.Operation("conv", "conv", 3)], nodes=2,
    skeleton=cells.Skeleton(channels=4, cells=1, image_size=8))
KINDS = [(None, None), ("tensorflow", None), ("litert", None), ("litert", "int8"),
         ("onnxruntime", None), ("onnxruntime", "int8")]


@pytest.mark.parametrize("runtime, quantize", KINDS)
def test_a_runtime_runs_the_model(runtime, quantize):
  model = pieces_lib.of(SPACE).pieces["stage0_conv"].make()
  settings = config.LatencyConfig(runtime=runtime, quantize=quantize, latency_batch=2)
  with runtimes.opened(model, settings) as call:
    found = call()
  images = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype(np.float32)
  wanted = np.asarray(model(images, training=False))
  if quantize:
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99
    assert np.abs(found - wanted).max() > 1e-3  # It is in int8.
  else:
    assert np.mean(found) == pytest.approx(wanted.mean(), abs=1e-6)


def test_a_table_is_of_one_runtime(tmp_path):
  path, settings = tmp_path / "t.json", {"warmup": 1, "repeats": 2}
  own = config.LatencyConfig(runtime="onnxruntime", **settings)
  made = latency.measure_latency(SPACE, path, own)
  assert made["settings"]["runtime"] == "onnxruntime" and made["settings"]["quantize"] == "none"
  assert all(times["low"] > 0 for times in made["measured"].values())
  with pytest.raises(errors.InputError, match="settings.runtime='onnxruntime' there"):
    latency.measure_latency(SPACE, path, config.LatencyConfig(**settings))
  with pytest.raises(errors.InputError, match="settings.quantize='none' there, 'int8' here"):
    latency.measure_latency(
        SPACE, path, config.LatencyConfig(runtime="onnxruntime", quantize="int8", **settings))


def test_what_is_missing_is_named(tmp_path, monkeypatch):
  settings = config.LatencyConfig(runtime="litert")
  monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
  with pytest.raises(errors.InputError, match="Received: no ai_edge_litert"):
    latency.measure_latency(SPACE, tmp_path / "t.json", settings)
  monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
  with pytest.raises(errors.InputError, match="`runtime` needs Keras on TensorFlow"):
    latency.measure_latency(SPACE, tmp_path / "t.json", settings)
  assert not list(tmp_path.iterdir())
