"""The measurements of tools/benchmark.py: ratios of steps of the same work, interleaved."""

import functools
import os
import platform
import time

import keras
import numpy as np
import tensorflow as tf

from tfdynnas import methods
from tfdynnas import optimizers
from tfdynnas import spaces
from tfdynnas import supernet as supernet_lib
from tfdynnas.backend import current
from tfdynnas.search import scorer as scorer_lib
from tfdynnas.tools import timing

BATCH = 64


class Bench:
  """Measurements at one size; each yields lines of text."""

  def __init__(self, channels, cells, image_size, archs, blocks, seed):
    current.shorten_first_step()
    self._skeleton = spaces.Skeleton(channels, cells, image_size)
    self._blocks = blocks
    rng = np.random.default_rng(seed)
    self._space = self._make_space(1)
    self._archs = [self._space.sample(rng) for _ in range(archs)]
    self._images = tf.constant(rng.normal(size=(BATCH, image_size, image_size, 3)), tf.float32)
    self._labels = tf.constant(rng.integers(0, 10, BATCH), tf.int32)
    self._loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

  def machine(self):
    """The machine, versions and sizes."""
    s = self._skeleton
    return (
        f"{os.cpu_count()} CPUs {platform.machine()}, TensorFlow {tf.__version__}, Keras "
        f"{keras.__version__}; {s.channels} channels, {s.cells} cells a stage, "
        f"{s.image_size}x{s.image_size}, batch {BATCH}, {len(self._archs)} random archs, "
        f"{self._blocks} interleaved blocks; median [quartiles over archs and blocks]"
    )

  def step(self):
    """Supernet step over the same subnet compiled alone; CaLR+MS over plain momentum."""
    plain = self._supernet_step(self._space, "moved", separate=False)
    ours = self._supernet_step(self._space, "moved", separate=True)
    frozen = self._supernet_step(self._space, "frozen", separate=False)
    seconds = {}
    for arch in self._archs:
      pruned, whole = self._alone_step(arch, True), self._alone_step(arch, False)
      chosen = tf.constant(arch, tf.int32)
      times = timing.interleave({
          "pruned": pruned, "whole": whole, "moved": lambda: plain(chosen),
          "ours": lambda: ours(chosen), "frozen": lambda: frozen(chosen),
      }, self._blocks)
      for name, values in times.items():
        seconds.setdefault(name, []).extend(values)
    seconds = {name: np.array(values) for name, values in seconds.items()}
    for mode in ("moved", "frozen"):
      for alone, meaning in (("whole", "every operation"), ("pruned", "live operations only")):
        yield (f"supernet step / same subnet alone, {meaning}, off-path {mode}: "
               f"{timing.ratio(seconds[mode], seconds[alone])}")
    over_plain = timing.ratio(seconds["ours"], seconds["moved"])
    yield f"CaLR+MS step / plain momentum step, off-path moved: {over_plain}"
    weights = sum(int(np.prod(v.shape)) for v in plain.supernet.trainable_variables)
    extra = _slot_bytes(ours) - _slot_bytes(plain)
    yield (f"CaLR+MS memory over plain: {extra:,} bytes = {extra / (4 * weights):.3f} x 4 bytes x "
           f"{weights:,} weights")

  def choices(self):
    """40 choices an edge over 5."""
    five = self._supernet_step(self._space, "frozen", separate=True)
    forty = self._supernet_step(self._make_space(8), "frozen", separate=True)
    ratios, rng = [], np.random.default_rng(1)
    for arch in self._archs:
      chosen = tf.constant(arch, tf.int32)
      copied = tf.constant([c + 5 * int(rng.integers(8)) for c in arch], tf.int32)
      both = {"five": lambda: five(chosen), "forty": lambda: forty(copied)}
      times = timing.interleave(both, self._blocks)
      ratios += list(times["forty"] / times["five"])
    yield f"step with 40 choices an edge / with 5, off-path frozen: {timing.spread(ratios)}"

  def precision(self):
    """bfloat16 over float32."""
    yield from self._ratios("mixed_bfloat16", "float32", "dtype")

  def sharing(self):
    """One kernel of which the choices take parts over a kernel for each."""
    yield from self._ratios("shared", "separate", "sharing")

  def _ratios(self, one, other, setting):
    """Steps by the value of a setting, in cells and the layers of MobileNets of half the width."""
    size, rng = self._skeleton.image_size, np.random.default_rng(3)
    layers = spaces.mobilenet(width=0.5, image_size=size, classes=10, small=True)
    drawn = [layers.sample(rng) for _ in self._archs]
    for space, archs in ((self._space, self._archs), (layers, drawn)):
      steps = {value: self._supernet_step(space, "frozen", separate=False, **{setting: value})
               for value in (one, other)}
      ratios = []
      for arch in archs:
        chosen = tf.constant(arch, tf.int32)
        times = timing.interleave(
            {value: functools.partial(step, chosen) for value, step in steps.items()},
            self._blocks)
        ratios += list(times[one] / times[other])
      yield f"{one} step / {other} step, {space.name}: {timing.spread(ratios)}"

  def first(self):
    """Seconds of the first step: trace and optimise."""
    seconds = []
    for _ in range(3):
      start = time.perf_counter()
      step = self._supernet_step(self._space, "moved", separate=True)
      built = time.perf_counter()
      step(tf.constant(self._archs[0], tf.int32))
      seconds.append((built - start, time.perf_counter() - built))
    build, first = np.median(seconds, axis=0)
    yield f"first step: {first:.1f} s (weights before it: {build:.1f} s), median of 3"

  def score(self):
    """Architectures scored per second, beside the plain subnets on the same images."""
    supernet = supernet_lib.Supernet(self._space)
    images = np.random.default_rng(2).normal(size=(256, *self._images.shape[1:]))
    images = images.astype(np.float32)
    batches = [(images, np.zeros(256, np.int32))]
    scorer = scorer_lib.Scorer(supernet, batches, lambda x: x)
    scorer(self._archs[0])
    per_second, over_whole, over_pruned, batch = [], [], [], tf.constant(images)
    for arch in self._archs:
      whole, pruned = (
          tf.function(self._plain(arch, live_only), autograph=False) for live_only in (False, True)
      )
      times = timing.interleave({
          "ours": lambda: scorer(arch), "whole": lambda: whole(batch),
          "pruned": lambda: pruned(batch),
      }, self._blocks)
      per_second += list(1 / times["ours"])
      over_whole += list(times["ours"] / times["whole"])
      over_pruned += list(times["ours"] / times["pruned"])
    yield f"architectures scored per second, 256 images each: {timing.spread(per_second)}"
    for meaning, over in (("every operation", over_whole), ("live operations only", over_pruned)):
      yield f"scoring / same subnet alone, {meaning}, per image: {timing.spread(over)}"

  def _plain(self, arch, live_only):
    return supernet_lib.plain_network(self._space, arch, "batch", live_only=live_only)

  def _make_space(self, copies):
    operations = [
        spaces.Operation(f"{o.name}_{i}" if copies > 1 else o.name, o.kind, o.window)
        for i in range(copies) for o in spaces.nasbench201().operations
    ]
    return spaces.cell_space("cells", operations, skeleton=self._skeleton)

  def _optimizer(self, separate, off_path):
    if not separate:
      schedule = keras.optimizers.schedules.CosineDecay(0.025, 10**6)
      return optimizers.MS(schedule, off_path=off_path, groups=1)
    schedule = optimizers.CaLR(0.025, 10**6, *self._space.bounds("complexity"))
    return optimizers.MS(schedule, groups=5, off_path=off_path)

  def _supernet_step(self, space, off_path, separate, **kwargs):
    """A training step of a supernet, as a function of the arch."""
    supernet = supernet_lib.Supernet(space, **kwargs)
    method = _FiveGroups(space, split_decision=0)
    optimizer = self._optimizer(separate, off_path)
    supernet.compile(optimizer, self._loss, method=method, jit_compile=False)
    optimizer.build(supernet.trainable_variables)

    @tf.function(autograph=False)
    def step(arch):
      method.sampler = lambda step: arch[None]
      return current.train_step(method, supernet, (self._images, self._labels))

    step.supernet, step.optimizer = supernet, optimizer
    return step

  def _alone_step(self, arch, live_only):
    """A training step of the plain network of one arch, with the same optimizer."""
    model = self._plain(arch, live_only)
    optimizer = self._optimizer(False, "moved")
    optimizer.build(model.trainable_variables)

    @tf.function(autograph=False)
    def step():
      with tf.GradientTape() as tape:
        loss = self._loss(self._labels, model(self._images, training=True))
      weights = model.trainable_variables
      optimizer.apply(tape.gradient(loss, weights), weights)
      return loss

    return step


class _FiveGroups(methods.SinglePath):
  """One path a step, whose copies of a choice share its group, to compare like with like."""

  groups = 5

  def group(self, arch):
    """Group of a path, int32."""
    return arch[0] % 5


def _slot_bytes(step):
  return sum(4 * int(np.prod(slot.shape)) for slot in step.optimizer.slots)
