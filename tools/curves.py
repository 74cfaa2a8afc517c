"""The curves of tools/benchmark.py --part=curves: cost of a step as layers, choices, groups and
replicas grow, each against its expected shape."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf

from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.backend import current
from tfdynnas.tools import timing

BATCH = 64
TIMED = {"channels": 16, "size": 16}
HELD = {"channels": 128, "size": 8}  # Wide: the weights outweigh a process's own memory.
# Curve -> (places of measurement, expected shape of the time, of the memory).
CURVES = {
    "layers": ((6, 12, 18, 24), "linear", "linear"),
    "choices per layer": ((6, 12, 24, 48), "flat", "linear"),
    "groups": ((1, 2, 4, 8), "flat", "linear"),
    "replicas": ((1, 2), "flat", "linear"),
}
_HELD_AT = {"replicas": (1, 2, 4)}  # One process has one number of devices.
CPUS = [f"CPU:{number}" for number in range(_HELD_AT["replicas"][-1])]
# glibc gives freed arrays back at once: four measurements were at most 5 % off, eight before 19 %.
_GIVES_BACK = {"MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_MMAP_THRESHOLD_": "65536"}
_PLAIN = {"layers": 6, "choices per layer": 6, "groups": 6, "replicas": 1}


def start():
  """Makes logical CPUs before TensorFlow starts; they share one machine."""
  current.make_strategy("mirrored", CPUS)
  current.shorten_first_step()


def measure(blocks):
  """Measures every curve; off-path weights are frozen, so that a step updates its path alone.

  Args:
    blocks: int >= 1, interleaved blocks.

  Yields:
    Lines of text.
  """
  yield (f"MobileNet blocks, batch {BATCH} in all, CaLR and MS, off-path frozen, groups in turn. "
         f"Time: {_told(TIMED)}, {blocks} interleaved blocks, median [quartiles]. Memory: "
         f"{_told(HELD)}, what a process of its own holds at most in a step, beyond TensorFlow")
  for name, (places, time, memory) in CURVES.items():
    seconds = timing.interleave(
        {place: _step(**TIMED, **_point(name, place)) for place in places}, blocks)
    ratios = [seconds[place] / seconds[places[0]] for place in places]
    for place, ratio in zip(places, ratios):
      yield f"{name} {place}: time {timing.spread(ratio)} of the first"
    medians = [np.median(ratio) for ratio in ratios]
    yield f"{name}: time should be {time}, is {off(places, medians, time):.1%} off at most"
    places = _HELD_AT.get(name, places)
    held = [held_alone(_point(name, place)) for place in places]
    sizes = ", ".join(f"{size / 2**20:,.0f}" for size in held)
    yield (f"{name} {', '.join(map(str, places))}: {sizes} MiB; memory should be {memory}, is "
           f"{off(places, held, memory):.1%} off at most")


def off(places, values, shape):
  """Greatest deviation of a curve from its shape, as a share of the curve.

  Args:
    places: Sequence of numbers, the places of measurement.
    values: Sequence of numbers > 0, the measurements.
    shape: `flat`, the first value, or `linear`, the line of least squares.

  Returns:
    float >= 0.
  """
  values = np.array(values, np.float64)
  wanted = np.full(len(values), values[0])
  if shape == "linear":
    wanted = np.polyval(np.polyfit(places, values, 1), places)
  return float(np.max(np.abs(values / wanted - 1)))


def _point(name, place):
  """Arguments of `_step` at a place of a curve."""
  return {key.partition(" ")[0]: value for key, value in {**_PLAIN, name: place}.items()}


def _told(sizes):
  return "{channels} channels, {size}x{size}".format(**sizes)


def _space(layers, choices, channels, size):
  """Layers of one shape, each with the same number of blocks, copies of six."""
  kinds = [spaces.Block(f"mb{e}_{w}x{w}_{copy}", e, w)
           for copy in range(choices // 6) for e in (3, 6) for w in (3, 5, 7)]
  skeleton = spaces.LayerSkeleton(
      (spaces.Stage(channels, layers),), stem=channels, stem_stride=1, first=channels, last=64,
      image_size=size, classes=10,
  )
  return spaces.layer_space("curve", kinds, skeleton)


def _step(layers, choices, groups, replicas, channels, size):
  """A training step of a one-stage supernet, on the same paths for any number of choices."""
  space = _space(layers, choices, channels, size)
  kind = "none" if replicas == 1 else "mirrored"
  strategy = current.make_strategy(kind, CPUS[:replicas])
  rng = np.random.default_rng(0)
  with strategy.scope():
    supernet = supernet_lib.Supernet(space)
    schedule = optimizers.CaLR(0.025, 10**6, *space.bounds("complexity"))
    optimizer = optimizers.MS(schedule, groups=groups, off_path="frozen")
    method = _InTurn(space, split_decision=0)
    method.groups, method.optimizer = groups, optimizer
    path = tf.constant([[place % 6 for place in range(layers)]], tf.int32)
    method.sampler = lambda step: path
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    supernet.compile(optimizer, loss, method=method, jit_compile=False)
    optimizer.build(supernet.trainable_variables)
  images = tf.constant(rng.normal(size=(BATCH, size, size, 3)), tf.float32)
  labels = tf.constant(rng.integers(0, 10, BATCH), tf.int32)
  parts = [slice(n * BATCH // replicas, (n + 1) * BATCH // replicas) for n in range(replicas)]
  batch = strategy.experimental_distribute_values_from_function(
      lambda context: (images[parts[context.replica_id_in_sync_group]],
                       labels[parts[context.replica_id_in_sync_group]]))

  @tf.function(autograph=False)
  def step():
    return strategy.run(lambda own: current.train_step(method, supernet, own)["loss"],
                        args=(batch,))

  def run():
    return strategy.experimental_local_results(step())

  return run


class _InTurn(methods.SinglePath):
  """One path a step, in momentum groups whose number is set, one after the other."""

  groups = optimizer = None

  def group(self, arch):
    """Group of a step, int32."""
    return tf.cast(self.optimizer.iterations, tf.int32) % self.groups


def held_alone(point):
  """The result of `_held` in a process of its own, whose memory no other measurement touched."""
  command = [sys.executable, "-m", "tfdynnas.tools.curves", json.dumps(point)]
  done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                        env={**os.environ, **_GIVES_BACK})
  return int(done.stdout)


def _held(point):
  """Peak bytes of host memory during steps, beyond those held before the first."""
  tf.random.uniform([BATCH]).numpy()  # TensorFlow starts.
  before = _resident("VmRSS")
  step = _step(**HELD, **point)
  step()
  pathlib.Path("/proc/self/clear_refs").write_text("5")  # Resets the peak, after tracing.
  for _ in range(5):
    step()
  return _resident("VmHWM") - before


def _resident(name):
  """A number of /proc/self/status, in bytes."""
  text = pathlib.Path("/proc/self/status").read_text()
  return 1024 * int(text.partition(f"{name}:")[2].split()[0])


if __name__ == "__main__":
  start()
  print(_held(json.loads(sys.argv[1])))
